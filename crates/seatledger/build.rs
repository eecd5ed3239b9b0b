//! Makes what the dashboard's pages are made of ready to be embedded: style, scripts, and the charts' library, which npm
//! fetches as the lock file in `web` says. Where that cannot be had the build goes on, and pages show their tables.

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Who builds without a registry need not wait for one.
const WITHOUT_NPM: &str = "SEATLEDGER_WITHOUT_NPM";
const SCRIPT: &str = "text/javascript; charset=utf-8";
/// What the charts are made of.
const SOURCES: [&str; 3] = ["package.json", "package-lock.json", "charts.js"];
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    println!("cargo:rerun-if-changed=web");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed={WITHOUT_NPM}");
    let web = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("web");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut list = String::from("&[\n");
    embed(&mut list, &out, "style.css", "text/css; charset=utf-8", &fs::read(web.join("style.css"))?)?;
    embed(&mut list, &out, "app.js", SCRIPT, &fs::read(web.join("app.js"))?)?;
    embed(&mut list, &out, "icon.svg", "image/svg+xml", &fs::read(web.join("icon.svg"))?)?;
    match charts(&web, &out) {
        Ok(bundle) => embed(&mut list, &out, "charts.js", SCRIPT, &bundle)?,
        Err(why) => {
            println!("cargo:warning=the dashboard is built without charts, its pages show tables: {why}");
        }
    }
    list.push(']');
    let assets = out.join("assets.rs");
    fs::write(&assets, list)?;
    println!("cargo:rustc-env=SEATLEDGER_ASSETS={}", assets.display());
    Ok(())
}

/// Writes a compressed copy, and a line about it: its name, its name in URLs, its kind, its bytes.
fn embed(list: &mut String, out: &Path, name: &str, kind: &str, bytes: &[u8]) -> Outcome<()> {
    let hash: String = Sha256::digest(bytes).iter().take(6).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes)?;
    fs::write(out.join(format!("{name}.gz")), packed.finish()?)?;
    writeln!(
        list,
        "    Asset {{ name: {name:?}, path: \"{stem}.{hash}.{ending}\", kind: {kind:?}, gzip: include_bytes!(\"{name}.gz\") }},"
    )?;
    Ok(())
}

/// The charts and the parts of their library that they use, in one module.
fn charts(web: &Path, out: &Path) -> Outcome<Vec<u8>> {
    if env::var_os(WITHOUT_NPM).is_some_and(|value| !value.is_empty() && value != "0") {
        return Err(format!("{WITHOUT_NPM} is set").into());
    }
    let place = out.join("npm");
    let mut sources = Sha256::new();
    for name in SOURCES {
        sources.update(fs::read(web.join(name))?);
    }
    let stamp = format!("{:x}", sources.finalize());
    let (bundle, made_of) = (out.join("charts.bundle.js"), out.join("charts.stamp"));
    if fs::read_to_string(&made_of).is_ok_and(|made_of| made_of == stamp) {
        return Ok(fs::read(bundle)?);
    }
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place)?;
    for name in SOURCES {
        fs::copy(web.join(name), place.join(name))?;
    }
    let fetch =
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=30000"];
    run(Command::new("npm").args(fetch).current_dir(&place), "npm ci")?;
    let bundling =
        ["charts.js", "--bundle", "--minify", "--format=esm", "--target=es2022", "--legal-comments=eof"];
    let outfile = format!("--outfile={}", bundle.display());
    let esbuild = place.join("node_modules/.bin/esbuild");
    run(Command::new(esbuild).args(bundling).arg(outfile).current_dir(&place), "esbuild")?;
    fs::write(made_of, stamp)?;
    // What was fetched is a hundred times larger than what is used of it.
    let _ = fs::remove_dir_all(&place);
    Ok(fs::read(bundle)?)
}

fn run(command: &mut Command, name: &str) -> Outcome<()> {
    let done = command.output().map_err(|error| format!("cannot run {name}: {error}"))?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
    Err(format!("{name} failed: {last}").into())
}
