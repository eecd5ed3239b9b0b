//! Connections to PostgreSQL that are encrypted.

use postgres::{Client, NoTls};
use std::process::Command;
use store::{Error, Place, Store};

/// A connection to the tests' PostgreSQL that is not encrypted, and the address.
fn plain() -> (Client, String) {
    let url = std::env::var("SEATLEDGER_TEST_POSTGRES").expect("scripts/test gives the tests a PostgreSQL");
    (Client::connect(&url, NoTls).expect("the tests' PostgreSQL answers"), url)
}

#[test]
fn a_server_is_trusted_whose_certificate_an_authority_has_signed() {
    let (mut client, url) = plain();
    let place = tempfile::tempdir().unwrap();
    let data: String = client.query_one("show data_directory", &[]).unwrap().get(0);
    let trusted = place.path().join("trusted.pem");
    std::fs::copy(format!("{data}/server.crt"), &trusted).unwrap();
    let schema = format!("encrypted_{}", std::process::id());
    client.batch_execute(&format!("create schema {schema}")).unwrap();
    let open = |authority: &std::path::Path| {
        let authority = authority.display();
        let url =
            format!("{url}?options=-csearch_path%3D{schema}&sslmode=verify-full&sslrootcert={authority}");
        Store::create(&url.parse::<Place>().unwrap())
    };
    let store = open(&trusted).unwrap();
    let sql = "select count(*) from pg_stat_ssl s join pg_stat_activity a on a.pid = s.pid
               where s.ssl and a.application_name = 'seatledger'";
    let encrypted: i64 = client.query_one(sql, &[]).unwrap().get(0);
    assert_eq!(encrypted, 1);
    drop(store);
    let other = place.path().join("other.pem");
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-days", "2", "-subj", "/CN=localhost", "-keyout"])
        .arg(place.path().join("key.pem"))
        .arg("-out")
        .arg(&other)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let refused = open(&other);
    client.batch_execute(&format!("drop schema {schema} cascade")).unwrap();
    match refused {
        Err(Error::Unreachable(text)) => assert!(text.contains("certificate"), "{text}"),
        other => panic!("a stranger was trusted: {other:?}"),
    }
}
