//! wip
use crate::line::*;
use accounting::event::Pairing;
/// x
pub struct Wrapper;
impl Format for Wrapper {
    fn name(&self) -> &'static str { "wrapper" }
    fn describe(&self) -> &'static str { "" }
    fn fits(&self, _: &[u8]) -> Fit { Fit::No }
    fn surveyor(&self) -> Box<dyn Surveyor> { unimplemented!() }
    fn parser(&self, _: &Setting) -> Box<dyn Parser> { unimplemented!() }
    fn resume(&self, _: &Setting, s: &str) -> Result<Box<dyn Parser>, StateError> { Err(serde_json::from_str::<u8>(s).unwrap_err())? }
    fn pairing(&self) -> Pairing { Pairing::Exclusive }
}
