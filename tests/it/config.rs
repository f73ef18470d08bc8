//! What `serve` goes by, and what it says of settings that are wrong.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rstest::rstest;

use super::served::{BINARY, complaint};

/// `serve --check-config` in a folder, with these flags and variables.
fn check(folder: &Path, flags: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(BINARY);
    command.args(["serve", "--check-config"]).args(flags);
    command
        .env_remove("RUST_LOG")
        .envs(variables.iter().copied());
    command.current_dir(folder).output().unwrap()
}

/// Value and source of a setting.
fn row(output: &Output, name: &str) -> (String, String) {
    assert!(output.status.success(), "{}", complaint(output));
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text
        .lines()
        .find(|line| line.split_whitespace().next() == Some(name));
    let mut words = line
        .unwrap_or_else(|| panic!("no {name} in {text}"))
        .split_whitespace();
    let mut word = || words.nth(1).unwrap_or_default().to_owned();
    let value = word();
    let source = line.unwrap().split_whitespace().last().unwrap().to_owned();
    (value, source)
}

fn pair(value: &str, source: &str) -> (String, String) {
    (value.to_owned(), source.to_owned())
}

#[test]
fn flags_go_before_the_environment_before_the_file_before_the_default() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("counterfoil.toml"),
        "data = \"ledger\"\nconnections = 3\n",
    )
    .unwrap();
    let variable = [("COUNTERFOIL_CONNECTIONS", "2")];
    let flag = ["--connections", "1"];
    let seen = |flags: &[&str], variables: &[(&str, &str)]| {
        row(&check(dir.path(), flags, variables), "connections")
    };
    assert_eq!(seen(&flag, &variable), pair("1", "--connections"));
    assert_eq!(seen(&[], &variable), pair("2", "COUNTERFOIL_CONNECTIONS"));
    assert_eq!(seen(&[], &[]), pair("3", "counterfoil.toml"));
    fs::remove_file(dir.path().join("counterfoil.toml")).unwrap();
    assert_eq!(seen(&["--data", "ledger"], &[]), pair("1024", "default"));
    let logged = |variables: &[(&str, &str)]| {
        row(&check(dir.path(), &["--data", "ledger"], variables), "log")
    };
    assert_eq!(logged(&[("RUST_LOG", "warn")]), pair("warn", "RUST_LOG"));
    let both = [("RUST_LOG", "warn"), ("COUNTERFOIL_LOG", "debug")];
    assert_eq!(logged(&both), pair("debug", "COUNTERFOIL_LOG"));
}

#[test]
fn every_setting_may_stand_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("etc");
    fs::create_dir(&folder).unwrap();
    let text = r#"
        data = "ledger"
        listen = "0.0.0.0:443"
        audience = "https://ledger.example"
        clock = "manual"
        passphrase_file = "passphrase"
        policy = "policy"
        tls_cert = "cert.pem"
        tls_key = "/keys/key.pem"
        log = "warn"
        log_format = "json"
        trusted_proxies = ["10.0.0.1", "2001:db8::1"]
        metrics_from = ["10.0.0.9"]
        connections = 5000
        connections_per_address = 50
        requests_per_second = 7
        requests_burst = 70
        limit_loopback = true
        header_seconds = 5
        stall_seconds = 6
        connection_seconds = 60
        stop_seconds = 8
    "#;
    fs::write(folder.join("c.toml"), text).unwrap();
    let output = check(dir.path(), &["--config", "etc/c.toml"], &[]);
    for line in text.lines().filter(|line| line.contains('=')) {
        let (name, _) = line.trim().split_once(' ').unwrap();
        assert_eq!(row(&output, name).1, "etc/c.toml");
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!text.contains("default"), "{text}");
    // A path in a file is from the file's folder.
    assert_eq!(row(&output, "data").0, "etc/ledger");
    assert_eq!(row(&output, "tls_key").0, "/keys/key.pem");
    assert_eq!(row(&output, "trusted_proxies").0, "10.0.0.1,2001:db8::1");
}

#[rstest]
#[case::unknown_key("conections = 3", &["counterfoil.toml", "line 2", "unknown field `conections`", "`connections`"])]
#[case::wrong_type("connections = \"many\"", &["counterfoil.toml", "connections", "invalid type: string \"many\"", "u64"])]
#[case::no_address("listen = \"here\"", &["counterfoil.toml", "listen", "socket address"])]
#[case::no_clock("clock = \"sun\"", &["counterfoil.toml", "clock", "`system` or `manual`"])]
#[case::out_of_range("connections = 0", &["counterfoil.toml", "connections is 0", "1 to 1000000"])]
#[case::too_small_a_burst("requests_burst = 9", &["counterfoil.toml", "requests_burst is 9", "10 to 10000000"])]
#[case::half_of_tls("tls_cert = \"cert.pem\"", &["tls_cert is set and tls_key is not"])]
#[case::no_origin("audience = \"https://ledger.example/here\"", &["counterfoil.toml", "audience", "without a path"])]
#[case::twice("data = \"other\"", &["counterfoil.toml", "duplicate key"])]
#[case::no_toml("connections 3", &["counterfoil.toml", "line 2"])]
fn what_is_wrong_in_the_file_is_named(#[case] line: &str, #[case] said: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("counterfoil.toml");
    fs::write(&file, format!("data = \"ledger\"\n{line}\n")).unwrap();
    let output = check(dir.path(), &[], &[]);
    assert_eq!(output.status.code(), Some(2));
    let complaint = complaint(&output);
    for said in said {
        assert!(complaint.contains(said), "{said}: {complaint}");
    }
}

#[rstest]
#[case::a_flag(&["--connections", "0"], &[], "--connections: connections is 0; it may be 1 to 1000000")]
#[case::a_variable(&[], &[("COUNTERFOIL_STOP_SECONDS", "0")], "COUNTERFOIL_STOP_SECONDS: stop_seconds is 0")]
#[case::a_word(&["--connections", "many"], &[], "--connections <N>")]
#[case::no_file(&["--config", "nowhere.toml"], &[], "nowhere.toml: No such file")]
fn what_is_wrong_elsewhere_is_named(
    #[case] flags: &[&str],
    #[case] variables: &[(&str, &str)],
    #[case] said: &str,
) {
    let dir = tempfile::tempdir().unwrap();
    let output = check(
        dir.path(),
        &[flags, &["--data", "ledger"]].concat(),
        variables,
    );
    assert_eq!(output.status.code(), Some(2));
    let complaint = complaint(&output);
    assert!(complaint.contains(said), "{complaint}");
}

#[test]
fn a_ledger_must_be_named_and_nothing_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let output = check(dir.path(), &[], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(complaint(&output).contains("--data DIR, COUNTERFOIL_DATA or `data`"));
    // There is no such ledger and no such certificate, which a check does not look for.
    let flags = ["--data", "none", "--tls-cert", "none", "--tls-key", "none"];
    assert!(check(dir.path(), &flags, &[]).status.success());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
