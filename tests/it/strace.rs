//! What the system was asked to do, in which order, as `strace -f -y` tells it.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Whether strace is missing; says so, and in CI fails.
pub(crate) fn is_missing() -> bool {
    let missing = Command::new("strace").arg("--version").output().is_err();
    if missing {
        let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!ci, "strace is missing");
        eprintln!("skipped: strace is missing");
    }
    missing
}

/// The command that traces such calls of what follows it into a file.
pub(crate) fn into<'a>(log: &'a str, calls: &'a str) -> Vec<&'a str> {
    let words = ["strace", "-f", "-y", "-s", "1000", "-e", calls, "-o", log];
    words.to_vec()
}

/// A call as `strace -f -y` tells it: where in the log it began and ended.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// The file, or `socket:[…]`; of a rename nothing.
    pub(crate) file: String,
    /// What was passed and came back.
    pub(crate) text: String,
    pub(crate) began: usize,
    pub(crate) ended: usize,
}

impl Call {
    pub(crate) fn all(log: &str) -> Vec<Call> {
        let mut calls = Vec::new();
        let mut unfinished: HashMap<&str, (usize, &str)> = HashMap::new();
        for (at, line) in log.lines().enumerate() {
            let (thread, told) = line.split_once(' ').unwrap();
            let told = told.trim_start();
            if let Some(told) = told.strip_suffix("<unfinished ...>") {
                unfinished.insert(thread, (at, told));
            } else if let Some(rest) = told.strip_prefix("<... ") {
                let (began, told) = unfinished.remove(thread).unwrap();
                let rest = rest.split_once("resumed>").unwrap().1;
                calls.extend(Call::read(&format!("{told}{rest}"), began, at));
            } else {
                calls.extend(Call::read(told, at, at));
            }
        }
        calls
    }

    /// `name(9<file>, …) = result`; anything else but a rename is no call on a file.
    fn read(told: &str, began: usize, ended: usize) -> Option<Call> {
        let (name, text) = told.split_once('(')?;
        if name.starts_with("rename") {
            return Some(Call {
                name: "rename".to_owned(),
                file: String::new(),
                text: text.to_owned(),
                began,
                ended,
            });
        }
        let (descriptor, rest) = text.split_once('<')?;
        descriptor.parse::<u32>().ok()?;
        let file = rest.split_once('>')?.0;
        Some(Call {
            name: name.to_owned(),
            file: file.to_owned(),
            text: text.to_owned(),
            began,
            ended,
        })
    }

    pub(crate) fn read_all(log: &Path) -> Vec<Call> {
        Call::all(&fs::read_to_string(log).unwrap())
    }

    pub(crate) fn is_of_socket(&self) -> bool {
        self.file.starts_with("socket:") || self.file.starts_with("TCP")
    }

    /// Whether it is a sync that ended well.
    pub(crate) fn syncs(&self, file: &str) -> bool {
        let is_sync = ["fdatasync", "fsync"].contains(&self.name.as_str());
        is_sync && self.file == file && self.text.ends_with(" = 0")
    }
}
