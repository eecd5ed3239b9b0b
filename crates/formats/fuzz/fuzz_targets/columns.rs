#![no_main]

use formats::columns::{Column, Named, Written, json_rows};
use std::sync::LazyLock;

fn named(written: Written) -> Named {
    Named::new(written, Column::ALL.map(|(column, name)| (column, name.to_owned())).to_vec())
}

static CSV: LazyLock<&Named> = LazyLock::new(|| Box::leak(Box::new(named(Written::Csv))));
static JSON: LazyLock<&Named> = LazyLock::new(|| Box::leak(Box::new(named(Written::Json))));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    formats_fuzz::survives_as(&*CSV, bytes);
    formats_fuzz::survives_as(&*JSON, &json_rows(bytes, "").unwrap_or_else(|_| bytes.to_vec()));
});
