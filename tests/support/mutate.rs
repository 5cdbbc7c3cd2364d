//! Inputs that were spoilt: bytes anywhere, or JSON where its structure is.
//!
//! `PROXMOX_IDENTITY_FUZZ` says how many inputs each test tries instead of its short run, `PROXMOX_IDENTITY_FUZZ_SEED`
//! where the random numbers begin; what fails names its number, which depends on nothing else.

use serde_json::{Map, Number, Value};

/// Where the random numbers begin.
const SEED: u64 = 20_261_126;

/// Random numbers that are the same each time (SplitMix64).
pub struct Random(u64);

impl Random {
    /// Those of one input.
    pub fn of(number: u64) -> Self {
        let seed = std::env::var("PROXMOX_IDENTITY_FUZZ_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(SEED);
        Self(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap_or(u64::MAX)).unwrap_or_default()
    }

    /// One of several.
    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// How many inputs to try.
pub fn count(short: u64) -> u64 {
    std::env::var("PROXMOX_IDENTITY_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(short)
}

/// The same bytes with up to four of them, or stretches of them, spoilt.
pub fn bytes(random: &mut Random, seed: &[u8]) -> Vec<u8> {
    let mut spoilt = seed.to_vec();
    for _ in 0..=random.below(4) {
        let (at, to) = (random.below(spoilt.len()), random.below(spoilt.len()));
        let (from, to) = (at.min(to), at.max(to));
        match random.below(7) {
            _ if spoilt.is_empty() => spoilt.push(u8::try_from(random.below(256)).unwrap_or_default()),
            0 => spoilt[at] ^= 1 << random.below(8),
            1 => spoilt[at] = *random.one_of(b"\0\n\r\"\\{}[],:0-9\xff\xc3\x80"),
            2 => spoilt.insert(at, *random.one_of(b"\0\n\r\"\\{}[],:e+-.\xff\xf0")),
            3 => drop(spoilt.drain(from..to)),
            4 => spoilt.truncate(at),
            5 => {
                let again = spoilt[from..to.min(from + 64)].to_vec();
                spoilt.splice(from..from, again);
            }
            _ => spoilt.extend_from_slice(b"]}"),
        }
    }
    spoilt
}

/// The same JSON with up to three of its values replaced, left out, doubled or under another name.
pub fn json(random: &mut Random, seed: &Value) -> Value {
    let mut spoilt = seed.clone();
    for _ in 0..=random.below(3) {
        descend(random, &mut spoilt);
    }
    spoilt
}

/// Spoils something some way down; the deeper, the more of it is left.
fn descend(random: &mut Random, at: &mut Value) {
    if random.below(5) == 0 {
        return spoil(random, at);
    }
    let inner = match at {
        Value::Array(list) => {
            let index = random.below(list.len());
            list.get_mut(index)
        }
        Value::Object(fields) => {
            let index = random.below(fields.len());
            fields.values_mut().nth(index)
        }
        _ => None,
    };
    match inner {
        Some(inner) => descend(random, inner),
        None => spoil(random, at),
    }
}

fn spoil(random: &mut Random, at: &mut Value) {
    match (random.below(4), &mut *at) {
        (0, Value::Array(list)) if !list.is_empty() => {
            let copy = list[random.below(list.len())].clone();
            list.push(copy);
        }
        (1, Value::Array(list)) if !list.is_empty() => drop(list.remove(random.below(list.len()))),
        (0, Value::Object(fields)) if !fields.is_empty() => {
            let name = fields.keys().nth(random.below(fields.len())).expect("a field").clone();
            fields.remove(&name);
        }
        (1, Value::Object(fields)) if !fields.is_empty() => {
            let name = fields.keys().nth(random.below(fields.len())).expect("a field").clone();
            let value = fields.remove(&name).expect("a field");
            fields.insert(format!("{name}\u{0}"), value);
        }
        _ => *at = strange(random),
    }
}

/// A value that nobody expects.
fn strange(random: &mut Random) -> Value {
    match random.below(14) {
        0 => Value::Null,
        1 => Value::Bool(true),
        2 => (-1).into(),
        3 => u64::MAX.into(),
        4 => i64::MIN.into(),
        5 => Number::from_f64(1e308).map_or(Value::Null, Value::Number),
        6 => Number::from_f64(-0.5).map_or(Value::Null, Value::Number),
        7 => "".into(),
        8 => "\u{0}\r\n\u{202e}\u{feff}".into(),
        9 => "x".repeat(100_000).into(),
        10 => Value::Array(Vec::new()),
        11 => Value::Object(Map::new()),
        12 => (0..100).fold(Value::Null, |inner, _| Value::Array(vec![inner])),
        _ => format!("{}@{}!{}/..:,;=", random.next(), random.next(), random.next()).into(),
    }
}
