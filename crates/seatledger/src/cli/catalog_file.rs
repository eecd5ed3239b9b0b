//! stub
pub(crate) fn read_catalog(_: &std::path::Path, _: &mut impl std::io::Read) -> anyhow::Result<Vec<store::CatalogEntry>> { Ok(vec![]) }
