#![no_main]

use formats::events::{RunStates, Told};

/// A body of `/api/v1/events`, as far as it is events.
fn of_body(bytes: &[u8]) -> Vec<Told> {
    let body: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
    let events = body["events"].as_array().cloned().unwrap_or_default();
    events.into_iter().filter_map(|event| serde_json::from_value(event).ok()).collect()
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    formats_fuzz::survives_as(&RunStates, bytes);
    let lines = bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    for told in lines.chain(of_body(bytes)) {
        formats_fuzz::is_told_alike(told);
    }
});
