use salesmirror_model::clouds::Cloud;
pub struct Wanted<'a> {
    pub name: &'a str,
    pub cloud: &'static Cloud,
    pub tenant: Option<&'a str>,
    pub public_client: bool,
    pub redirect_port: Option<u16>,
}
pub struct Scripts {
    pub azure_cli: String,
    pub graph: String,
}
pub fn scripts(wanted: &Wanted<'_>) -> Scripts {
    Scripts {
        azure_cli: format!("az {}", wanted.name),
        graph: String::new(),
    }
}
