//! What is done to a world, one operation a line: walks are written down so, and read back.

use std::fmt;

use serde_json::Value;

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// An object is applied, as somebody writes it who means well.
    Declare { kind: String, name: String, spec: Value },
    /// The same by somebody who does not: the apiserver must refuse it.
    Misdeclare { kind: String, name: String, spec: Value },
    /// An object is deleted.
    Delete { kind: String, name: String },
    /// The connection is applied with these fields beside those that it needs.
    Connect { fields: Value },
    /// A call to Proxmox VE behind the operator's back; what it refuses does not matter.
    Edit { method: String, path: String, form: Value },
    /// A Secret is applied with new values.
    Secret { name: String },
    /// A Secret is deleted.
    NoSecret { name: String },
    /// The operator is killed and started again.
    Kill,
    /// Everything comes to rest and is judged.
    Settle,
}

impl Operation {
    /// The object that it declares.
    pub fn object(&self) -> Option<(&str, &str)> {
        match self {
            Self::Declare { kind, name, .. } | Self::Misdeclare { kind, name, .. } => Some((kind, name)),
            _ => None,
        }
    }

    /// True for what counts as a declaration.
    pub fn is_declaration(&self) -> bool {
        matches!(self, Self::Declare { .. } | Self::Misdeclare { .. } | Self::Connect { .. })
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declare { kind, name, spec } => write!(f, "declare {kind} {name} {spec}"),
            Self::Misdeclare { kind, name, spec } => write!(f, "misdeclare {kind} {name} {spec}"),
            Self::Delete { kind, name } => write!(f, "delete {kind} {name}"),
            Self::Connect { fields } => write!(f, "connect {fields}"),
            Self::Edit { method, path, form } => write!(f, "edit {method} {path} {form}"),
            Self::Secret { name } => write!(f, "secret {name}"),
            Self::NoSecret { name } => write!(f, "no-secret {name}"),
            Self::Kill => write!(f, "kill"),
            Self::Settle => write!(f, "settle"),
        }
    }
}

/// A script as text.
pub fn write(operations: &[Operation]) -> String {
    operations.iter().flat_map(|operation| [operation.to_string(), "\n".to_owned()]).collect()
}

/// The operations of a text; empty lines and those that begin with `#` do not count.
pub fn read(text: &str) -> Vec<Operation> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| parse(line).unwrap_or_else(|| panic!("no operation: {line}"))).collect()
}

fn parse(line: &str) -> Option<Operation> {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let json = |text: &str| serde_json::from_str::<Value>(text).ok();
    let of_object = || {
        let mut words = rest.splitn(3, ' ');
        let (kind, name) = (words.next()?.to_owned(), words.next()?.to_owned());
        Some((kind, name, words.next().and_then(json)))
    };
    Some(match verb {
        "declare" => {
            let (kind, name, spec) = of_object()?;
            Operation::Declare { kind, name, spec: spec? }
        }
        "misdeclare" => {
            let (kind, name, spec) = of_object()?;
            Operation::Misdeclare { kind, name, spec: spec? }
        }
        "delete" => {
            let (kind, name, _) = of_object()?;
            Operation::Delete { kind, name }
        }
        "connect" => Operation::Connect { fields: json(rest)? },
        "edit" => {
            let (method, path, form) = of_object()?;
            Operation::Edit { method, path, form: form? }
        }
        "secret" => Operation::Secret { name: rest.to_owned() },
        "no-secret" => Operation::NoSecret { name: rest.to_owned() },
        "kill" => Operation::Kill,
        "settle" => Operation::Settle,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_down_is_read_back() {
        let spec = json!({"comment": "two\nlines and blanks", "members": [{"user": "a@pve"}]});
        let (kind, name) = ("ProxmoxGroup".to_owned(), "g".to_owned());
        let script = vec![
            Operation::Declare { kind: kind.clone(), name: name.clone(), spec: spec.clone() },
            Operation::Misdeclare { kind: kind.clone(), name: name.clone(), spec: json!(7) },
            Operation::Delete { kind, name },
            Operation::Connect { fields: json!({"suspend": true}) },
            Operation::Edit { method: "PUT".into(), path: "/pools?poolid=p1".into(), form: json!({"vms": "100"}) },
            Operation::Secret { name: "s".into() },
            Operation::NoSecret { name: "s".into() },
            Operation::Kill,
            Operation::Settle,
        ];
        assert_eq!(read(&format!("# found somewhere\n\n{}", write(&script))), script);
    }
}
