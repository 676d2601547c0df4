//! `$filter`: from text to a tree. Paths stay names until somebody knows what they mean.

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand<P> {
    Path(P),
    Literal(Literal),
    /// `tolower(name)` and the like.
    Function(String, Box<Operand<P>>),
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Null,
    Boolean(bool),
    Text(String),
    /// Numbers, GUIDs and dates: what they are depends on what they are compared with.
    Word(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression<P> {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Compare(Operator, Operand<P>, Operand<P>),
    /// `contains`, `startswith`, `endswith`.
    Text(String, Operand<P>, Operand<P>),
    /// `Microsoft.Dynamics.CRM.In(PropertyName='…',PropertyValues=[…])` and its like.
    Query(String, P, Vec<String>),
}

impl<P> Expression<P> {
    /// The same with other paths.
    pub fn resolve<Q, E>(self, path: &dyn Fn(P) -> Result<Q, E>) -> Result<Expression<Q>, E> {
        let both = |left: Self, right: Self| -> Result<_, E> {
            Ok((
                Box::new(left.resolve(path)?),
                Box::new(right.resolve(path)?),
            ))
        };
        Ok(match self {
            Self::And(left, right) => {
                let (left, right) = both(*left, *right)?;
                Expression::And(left, right)
            }
            Self::Or(left, right) => {
                let (left, right) = both(*left, *right)?;
                Expression::Or(left, right)
            }
            Self::Not(inner) => Expression::Not(Box::new(inner.resolve(path)?)),
            Self::Compare(operator, left, right) => {
                Expression::Compare(operator, left.resolve(path)?, right.resolve(path)?)
            }
            Self::Text(name, left, right) => {
                Expression::Text(name, left.resolve(path)?, right.resolve(path)?)
            }
            Self::Query(name, property, values) => Expression::Query(name, path(property)?, values),
        })
    }

    /// How many comparisons there are.
    pub fn size(&self) -> usize {
        match self {
            Self::And(left, right) | Self::Or(left, right) => left.size() + right.size(),
            Self::Not(inner) => inner.size(),
            Self::Compare(..) | Self::Text(..) | Self::Query(..) => 1,
        }
    }
}

impl<P> Operand<P> {
    fn resolve<Q, E>(self, path: &dyn Fn(P) -> Result<Q, E>) -> Result<Operand<Q>, E> {
        Ok(match self {
            Self::Path(name) => Operand::Path(path(name)?),
            Self::Literal(literal) => Operand::Literal(literal),
            Self::Function(name, inner) => Operand::Function(name, Box::new(inner.resolve(path)?)),
        })
    }
}

/// Reads a filter.
///
/// # Errors
/// The service's sentence, with the place where it stopped.
pub fn parse(text: &str) -> Result<Expression<String>, String> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens, place: 0 };
    let expression = parser.or()?;
    match parser.peek() {
        None => Ok(expression),
        Some(_) => Err(parser.wrong()),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let letters: Vec<char> = text.chars().collect();
    let mut place = 0;
    while let Some(letter) = letters.get(place) {
        match letter {
            letter if letter.is_whitespace() => place += 1,
            '(' | ')' | ',' | '=' | '[' | ']' => {
                tokens.push(Token::Sign(*letter));
                place += 1;
            }
            '\'' | '"' => {
                let quote = *letter;
                let mut value = String::new();
                let is_glued = place > 0 && !letters[place - 1].is_whitespace();
                place += 1;
                loop {
                    match (letters.get(place), letters.get(place + 1)) {
                        (Some(letter), Some(next)) if *letter == quote && *next == quote => {
                            value.push(quote);
                            place += 2;
                        }
                        (Some(letter), _) if *letter == quote => break,
                        (Some(letter), _) => {
                            value.push(*letter);
                            place += 1;
                        }
                        (None, _) => {
                            return Err(format!(
                                "There is an unterminated string literal at position {place} in '{text}'."
                            ));
                        }
                    }
                }
                place += 1;
                // `Microsoft.Dynamics.CRM.AttributeTypeCode'Picklist'`: the type says nothing new.
                if is_glued && matches!(tokens.last(), Some(Token::Word(_))) {
                    tokens.pop();
                }
                tokens.push(Token::Text(value));
            }
            _ => {
                let begin = place;
                while letters
                    .get(place)
                    .is_some_and(|letter| !letter.is_whitespace() && !"(),=[]'\"".contains(*letter))
                {
                    place += 1;
                }
                tokens.push(Token::Word(letters[begin..place].iter().collect()));
            }
        }
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<Token>,
    place: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.place)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.place).cloned();
        self.place += 1;
        token
    }

    fn takes(&mut self, word: &str) -> bool {
        let fits = matches!(self.peek(), Some(Token::Word(found)) if found == word);
        self.place += usize::from(fits);
        fits
    }

    fn sign(&mut self, sign: char) -> Result<(), String> {
        if self.peek() == Some(&Token::Sign(sign)) {
            self.place += 1;
            Ok(())
        } else {
            Err(self.wrong())
        }
    }

    fn wrong(&self) -> String {
        format!("Syntax error at position {} in the filter.", self.place)
    }

    fn or(&mut self) -> Result<Expression<String>, String> {
        let mut left = self.and()?;
        while self.takes("or") {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression<String>, String> {
        let mut left = self.not()?;
        while self.takes("and") {
            left = Expression::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expression<String>, String> {
        if self.takes("not") {
            return Ok(Expression::Not(Box::new(self.not()?)));
        }
        if self.peek() == Some(&Token::Sign('(')) {
            self.place += 1;
            let inner = self.or()?;
            self.sign(')')?;
            return Ok(inner);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expression<String>, String> {
        if let (Some(Token::Word(name)), Some(Token::Sign('('))) =
            (self.peek().cloned(), self.tokens.get(self.place + 1))
        {
            if matches!(name.as_str(), "contains" | "startswith" | "endswith") {
                self.place += 2;
                let left = self.operand()?;
                self.sign(',')?;
                let right = self.operand()?;
                self.sign(')')?;
                let call = Expression::Text(name, left, right);
                // `contains(…) eq true` says the same.
                if self.takes("eq") {
                    return match self.next() {
                        Some(Token::Word(word)) if word == "true" => Ok(call),
                        Some(Token::Word(word)) if word == "false" => {
                            Ok(Expression::Not(Box::new(call)))
                        }
                        _ => Err(self.wrong()),
                    };
                }
                return Ok(call);
            }
            if let Some(name) = name.strip_prefix("Microsoft.Dynamics.CRM.") {
                self.place += 2;
                return self.query(name.to_owned());
            }
        }
        let left = self.operand()?;
        let operator = match self.next() {
            Some(Token::Word(word)) => match word.as_str() {
                "eq" => Operator::Equal,
                "ne" => Operator::NotEqual,
                "gt" => Operator::Greater,
                "ge" => Operator::GreaterOrEqual,
                "lt" => Operator::Less,
                "le" => Operator::LessOrEqual,
                "in" => return self.listed(&left),
                _ => return Err(self.wrong()),
            },
            // A Boolean column alone is a condition.
            _ => {
                self.place -= 1;
                return Ok(Expression::Compare(
                    Operator::Equal,
                    left,
                    Operand::Literal(Literal::Boolean(true)),
                ));
            }
        };
        Ok(Expression::Compare(operator, left, self.operand()?))
    }

    /// `statecode in (0,1)`.
    fn listed(&mut self, left: &Operand<String>) -> Result<Expression<String>, String> {
        self.sign('(')?;
        let mut all: Option<Expression<String>> = None;
        loop {
            let one = Expression::Compare(Operator::Equal, left.clone(), self.operand()?);
            all = Some(match all {
                None => one,
                Some(before) => Expression::Or(Box::new(before), Box::new(one)),
            });
            match self.next() {
                Some(Token::Sign(',')) => {}
                Some(Token::Sign(')')) => return all.ok_or_else(|| self.wrong()),
                _ => return Err(self.wrong()),
            }
        }
    }

    fn query(&mut self, name: String) -> Result<Expression<String>, String> {
        let mut property = None;
        let mut values = Vec::new();
        loop {
            let Some(Token::Word(key)) = self.next() else {
                return Err(self.wrong());
            };
            self.sign('=')?;
            let mut given = Vec::new();
            if self.peek() == Some(&Token::Sign('[')) {
                self.place += 1;
                loop {
                    match self.next() {
                        Some(Token::Word(value) | Token::Text(value)) => given.push(value),
                        Some(Token::Sign(',')) => {}
                        Some(Token::Sign(']')) => break,
                        _ => return Err(self.wrong()),
                    }
                }
            } else if let Some(Token::Word(value) | Token::Text(value)) = self.next() {
                given.push(value);
            }
            if key == "PropertyName" {
                property = given.pop();
            } else {
                values.extend(given);
            }
            match self.next() {
                Some(Token::Sign(',')) => {}
                Some(Token::Sign(')')) => break,
                _ => return Err(self.wrong()),
            }
        }
        let property = property.ok_or_else(|| self.wrong())?;
        Ok(Expression::Query(name, property, values))
    }

    fn operand(&mut self) -> Result<Operand<String>, String> {
        let word = match self.next() {
            Some(Token::Text(text)) => return Ok(Operand::Literal(Literal::Text(text))),
            Some(Token::Word(word)) => word,
            _ => {
                self.place -= 1;
                return Err(self.wrong());
            }
        };
        if self.peek() == Some(&Token::Sign('('))
            && matches!(
                word.as_str(),
                "tolower" | "toupper" | "trim" | "length" | "year" | "date"
            )
        {
            self.place += 1;
            let inner = self.operand()?;
            self.sign(')')?;
            return Ok(Operand::Function(word, Box::new(inner)));
        }
        Ok(match word.as_str() {
            "null" => Operand::Literal(Literal::Null),
            "true" => Operand::Literal(Literal::Boolean(true)),
            "false" => Operand::Literal(Literal::Boolean(false)),
            _ if is_constant(&word) => Operand::Literal(Literal::Word(word)),
            _ => Operand::Path(word),
        })
    }
}

/// Numbers, dates and GUIDs; a GUID can begin with a letter.
fn is_constant(word: &str) -> bool {
    let begins = word.starts_with(|letter: char| letter.is_ascii_digit() || letter == '-');
    begins || uuid::Uuid::try_parse(word).is_ok()
}
