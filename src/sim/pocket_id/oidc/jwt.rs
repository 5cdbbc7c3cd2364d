//! The key that signs tokens, and tokens signed with it: RS256 JWTs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::rand_core::UnwrapErr;
use serde_json::{Map, Value, json};

use crate::sim::secrets::sha256;

/// As the real one makes them.
const BITS: usize = 2048;

/// A key, and how it is called.
pub struct SigningKey {
    pair: KeyPair,
    pkcs8: Vec<u8>,
    id: String,
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl SigningKey {
    /// A fresh one.
    ///
    /// # Errors
    /// Hardly ever.
    pub fn generate() -> std::io::Result<Self> {
        let mut random = UnwrapErr(getrandom::SysRng);
        let key = rsa::PrivateKey::new(&mut random, BITS).map_err(std::io::Error::other)?;
        let pkcs8 = key.to_pkcs8_der().map_err(std::io::Error::other)?;
        Self::read(&URL_SAFE_NO_PAD.encode(pkcs8.as_bytes()))
    }

    /// One that was kept as text.
    ///
    /// # Errors
    /// When the text is no key.
    pub fn read(text: &str) -> std::io::Result<Self> {
        let pkcs8 = URL_SAFE_NO_PAD.decode(text).map_err(std::io::Error::other)?;
        let pair = KeyPair::from_pkcs8(&pkcs8).map_err(|error| std::io::Error::other(error.to_string()))?;
        let id = sha256(&encode(&components(&pair).n))[..11].to_owned();
        Ok(Self { pair, pkcs8, id })
    }

    /// The key as text, to be kept.
    pub fn text(&self) -> String {
        encode(&self.pkcs8)
    }

    /// What `/.well-known/jwks.json` shows.
    pub fn jwks(&self) -> Value {
        let PublicKeyComponents { n, e } = components(&self.pair);
        let (n, e) = (encode(&n), encode(&e));
        json!({ "keys": [{ "alg": "RS256", "e": e, "kid": self.id, "kty": "RSA", "n": n, "use": "sig" }] })
    }

    /// A token with these claims.
    pub fn sign(&self, claims: &Map<String, Value>) -> String {
        let header = json!({ "alg": "RS256", "kid": self.id, "typ": "JWT" });
        let text =
            format!("{}.{}", encode(header.to_string().as_bytes()), encode(json!(claims).to_string().as_bytes()));
        let mut signature = vec![0; self.pair.public().modulus_len()];
        let random = SystemRandom::new();
        self.pair.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).expect("a key fit for RS256");
        format!("{text}.{}", encode(&signature))
    }

    /// The claims of a token that this key signed.
    pub fn verify(&self, token: &str) -> Option<Map<String, Value>> {
        let (text, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        components(&self.pair).verify(&RSA_PKCS1_2048_8192_SHA256, text.as_bytes(), &signature).ok()?;
        let (_, claims) = text.split_once('.')?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }
}

fn components(pair: &KeyPair) -> PublicKeyComponents<Vec<u8>> {
    pair.public().into()
}
