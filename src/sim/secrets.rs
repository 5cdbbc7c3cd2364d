//! Random secrets, password hashes, signatures and digests.

use std::fmt::Write as _;
use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest as hashes, hmac, pbkdf2};

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the system has random numbers");
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A random UUID, the form of token secrets.
pub fn random_uuid() -> String {
    let mut bytes = random::<16>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex(&bytes);
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}

/// A random key for signatures.
pub fn random_key() -> String {
    hex(&random::<32>())
}

/// SHA-1 of a file, the digest PVE shows.
pub fn digest(text: &str) -> String {
    hex(hashes::digest(&hashes::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()).as_ref())
}

/// SHA-256 of a secret that is too long to be guessed, in hex.
pub fn sha256(secret: &str) -> String {
    hex(hashes::digest(&hashes::SHA256, secret.as_bytes()).as_ref())
}

/// A random secret of so many letters and digits.
pub fn random_text(length: usize) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(length);
    while text.len() < length {
        // Beyond the last whole multiple of 62 the first letters would be more likely.
        let usable = random::<64>().into_iter().filter(|byte| *byte < 248);
        let letters = usable.map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
        text.extend(letters.take(length - text.len()));
    }
    text
}

/// Few rounds: the passwords here are for tests.
const ROUNDS: NonZeroU32 = NonZeroU32::new(200).expect("not zero");
const ALGORITHM: pbkdf2::Algorithm = pbkdf2::PBKDF2_HMAC_SHA256;

/// `salt$hash` of a password.
pub fn hash_password(password: &str) -> String {
    let salt = random::<16>();
    let mut hash = [0; 32];
    pbkdf2::derive(ALGORITHM, ROUNDS, &salt, password.as_bytes(), &mut hash);
    format!("{}${}", STANDARD.encode(salt), STANDARD.encode(hash))
}

/// Whether a password fits a hash.
pub fn password_fits(password: &str, hash: &str) -> bool {
    let Some((salt, hash)) = hash.split_once('$') else { return false };
    let (Ok(salt), Ok(hash)) = (STANDARD.decode(salt), STANDARD.decode(hash)) else { return false };
    pbkdf2::verify(ALGORITHM, ROUNDS, &salt, password.as_bytes(), &hash).is_ok()
}

/// Signature of a text, in base64.
pub fn sign(key: &str, text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}

/// Whether a signature is that of a text.
pub fn is_signed(key: &str, text: &str, signature: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    STANDARD.decode(signature).is_ok_and(|signature| hmac::verify(&key, text.as_bytes(), &signature).is_ok())
}
