//! Files of sections (`domains.cfg`, `jobs.cfg`), kept as the text PVE writes and parsed again after each change.
//!
//! An option without a value is not read back, so a section that lacks a required one has no type any more and
//! makes every later write fail (recordings `realms-empty-required`, `newline-realm`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::answer::Failure;

/// One section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// `None` once the file is damaged here.
    pub kind: Option<String>,
    /// Options as text.
    pub options: BTreeMap<String, String>,
}

impl Section {
    /// An option.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }
}

/// All sections of a file by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sections(pub BTreeMap<String, Section>);

/// The options a section of some type must have.
pub type Required = fn(&str) -> &'static [&'static str];

impl Sections {
    /// The text of the file.
    ///
    /// # Errors
    /// When a section is damaged, lacks an option or has one with a line feed.
    pub fn write(&self, required: Required) -> Result<String, Failure> {
        let mut text = String::new();
        for (id, section) in &self.0 {
            let Some(kind) = &section.kind else { return Err(Failure::die("unknown section type ''")) };
            let _ = writeln!(text, "{kind}: {id}");
            if let Some(missing) = required(kind).iter().find(|name| section.get(name).is_none()) {
                return Err(Failure::die(format!("section '{id}' - missing value for required option '{missing}'")));
            }
            for (name, value) in &section.options {
                if value.contains('\n') {
                    return Err(Failure::die("property contains a line feed"));
                }
                let _ = writeln!(text, "\t{name} {value}");
            }
            text.push('\n');
        }
        Ok(text)
    }

    /// Reads the file.
    pub fn parse(text: &str, required: Required) -> Self {
        let mut sections = Self::default();
        let mut current: Option<(String, Section)> = None;
        for line in text.lines().chain([""]) {
            if line.is_empty() {
                if let Some((id, mut section)) = current.take() {
                    let kind = section.kind.as_deref().unwrap_or_default();
                    if required(kind).iter().any(|name| section.get(name).is_none()) {
                        section = Section::default();
                    }
                    sections.0.insert(id, section);
                }
            } else if let Some((_, section)) = &mut current {
                let (name, value) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
                if !value.trim().is_empty() {
                    section.options.insert(name.to_owned(), value.trim().to_owned());
                }
            } else if let Some((kind, id)) = line.split_once(": ").filter(|_| !line.starts_with('\t')) {
                let section = Section { kind: Some(kind.to_owned()), options: BTreeMap::new() };
                current = Some((id.trim().to_owned(), section));
            }
        }
        sections
    }
}
