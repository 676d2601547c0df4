//! The figures as a table and as JSON.

use std::fs;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

/// A figure, and what it should be.
pub struct Figure {
    name: String,
    what: String,
    value: f64,
    budget: Budget,
}

enum Budget {
    AtLeast(f64),
    AtMost(f64),
    None,
}

impl Figure {
    fn new(name: &str, what: &str, value: f64, budget: Budget) -> Self {
        Self {
            name: name.to_owned(),
            what: what.to_owned(),
            value,
            budget,
        }
    }

    /// The more the better.
    pub fn at_least(name: &str, what: &str, value: f64, budget: f64) -> Self {
        Self::new(name, what, value, Budget::AtLeast(budget))
    }

    /// The less the better.
    pub fn at_most(name: &str, what: &str, value: f64, budget: f64) -> Self {
        Self::new(name, what, value, Budget::AtMost(budget))
    }

    /// Told beside the others.
    pub fn told(name: &str, what: &str, value: f64) -> Self {
        Self::new(name, what, value, Budget::None)
    }

    fn is_met(&self) -> Option<bool> {
        match self.budget {
            Budget::AtLeast(budget) => Some(self.value >= budget),
            Budget::AtMost(budget) => Some(self.value <= budget),
            Budget::None => None,
        }
    }

    fn budget(&self) -> String {
        match self.budget {
            Budget::AtLeast(budget) => format!("≥ {}", number(budget)),
            Budget::AtMost(budget) => format!("≤ {}", number(budget)),
            Budget::None => String::new(),
        }
    }
}

/// All figures of a run.
#[derive(Default)]
pub struct Report {
    figures: Vec<Figure>,
}

impl Report {
    /// Adds a figure, and says it at once: a run takes minutes.
    pub fn add(&mut self, figure: Figure) {
        eprintln!("{}: {} {}", figure.name, figure.what, number(figure.value));
        self.figures.push(figure);
    }

    /// Prints the table and writes the JSON.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn finish(&self, path: &Path) -> Result<()> {
        let machine = machine();
        eprintln!("\n{machine}\n");
        for figure in &self.figures {
            let mark = match figure.is_met() {
                Some(true) => "met",
                Some(false) => "MISSED",
                None => "",
            };
            eprintln!(
                "{:4} {:42} {:>12} {:>10}  {mark}",
                figure.name,
                figure.what,
                number(figure.value),
                figure.budget(),
            );
        }
        let figures: Vec<Value> = self
            .figures
            .iter()
            .map(|figure| {
                json!({
                    "figure": figure.name, "what": figure.what, "value": figure.value,
                    "budget": figure.budget(), "met": figure.is_met(),
                })
            })
            .collect();
        let document = json!({"machine": machine, "figures": figures});
        fs::write(path, serde_json::to_string_pretty(&document)?)?;
        eprintln!("\nAs JSON: {}", path.display());
        Ok(())
    }
}

/// With as many digits as say something.
fn number(value: f64) -> String {
    if value.abs() >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

/// The processor, its cores and the memory.
fn machine() -> String {
    let field = |path: &str, name: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let found = text
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .and_then(|rest| rest.split_once(':'));
        found.map_or_else(String::new, |(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{}, {cores} cores, {} memory",
        field("/proc/cpuinfo", "model name"),
        field("/proc/meminfo", "MemTotal")
    )
}
