//! Passwords as people type or pipe them in.

use super::wrong_usage;
use anyhow::Context as _;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

/// More than any password, and no more than memory has.
const MOST: u64 = 4096;

/// The first line of standard input.
pub(super) fn password_of_stdin() -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin().lock().take(MOST).read_line(&mut line).context("cannot read the password")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Asks on the terminal, twice, and shows nothing of what is typed.
pub(super) fn ask_for_password(name: &str) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        return Err(wrong_usage(
            "there is no terminal to ask for the password on: pipe it in, with --password-stdin",
        ));
    }
    let password = ask_hidden(&format!("Password of {name}: "))?;
    if ask_hidden("Once more: ")? != password {
        return Err(wrong_usage("the two passwords differ"));
    }
    Ok(password)
}

fn ask_hidden(question: &str) -> anyhow::Result<String> {
    let mut err = io::stderr().lock();
    write!(err, "{question}")?;
    err.flush()?;
    let hidden = hide_typing()?;
    let typed = password_of_stdin();
    drop(hidden);
    writeln!(err)?;
    typed
}

/// Typing is shown again when this is dropped.
#[cfg(unix)]
struct Hidden(rustix::termios::Termios);

#[cfg(unix)]
fn hide_typing() -> anyhow::Result<Hidden> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let stdin = io::stdin();
    let before = tcgetattr(&stdin).context("cannot ask the terminal")?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &quiet).context("cannot keep the terminal from showing it")?;
    Ok(Hidden(before))
}

#[cfg(unix)]
impl Drop for Hidden {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        // A terminal that is gone shows nothing anyway.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(not(unix))]
struct Hidden;

#[cfg(not(unix))]
fn hide_typing() -> anyhow::Result<Hidden> {
    Err(wrong_usage("typing cannot be hidden here: pipe the password in, with --password-stdin"))
}
