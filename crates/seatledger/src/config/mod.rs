//! stub
pub(crate) struct ServerConfig { pub name: String, pub aliases: Vec<String>, pub timezone: Option<String> }
pub(crate) struct Config { pub db: Option<String>, pub timezone: Option<String>, pub calendar: Option<()>, pub servers: Vec<ServerConfig> }
impl Config {
 pub(crate) fn read(_: Option<&std::path::Path>) -> anyhow::Result<Self> { Ok(Self{db:None,timezone:None,calendar:None,servers:vec![]}) }
 pub(crate) fn calendar(&self, z:&str) -> anyhow::Result<accounting::calendar::Calendar> { Ok(accounting::calendar::Calendar::standard(self.timezone.as_deref().unwrap_or(z))?) }
}
