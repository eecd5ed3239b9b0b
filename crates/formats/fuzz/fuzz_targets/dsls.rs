#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    formats_fuzz::survives("dsls", bytes);
    if formats::dsls::is_cloud_answer(bytes)
        && let Ok(lines) = formats::dsls::cloud_answer(bytes)
    {
        formats_fuzz::survives("dsls", &lines);
    }
});
