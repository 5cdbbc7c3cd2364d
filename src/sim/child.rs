//! Child processes that cannot be left behind.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// Becomes the program, after starting a watchdog that waits for the end of standard input: when our end of the
/// pipe closes, because we close it or die in any way, it kills the program and removes its directory.
const SUPERVISE: &str = r#"
    dir=$1; shift
    exec 3<&0
    (cat <&3; kill -KILL $$; rm -rf "$dir") >/dev/null 2>&1 &
    exec "$@" 3<&- </dev/null >"$dir/log" 2>&1
"#;

/// A process with a directory of its own; both go when this is dropped or our process ends, also when it is killed.
#[derive(Debug)]
pub struct GuardedChild {
    child: Child,
    dir: PathBuf,
}

impl GuardedChild {
    /// Starts a program with the arguments that `arguments` makes for its directory.
    ///
    /// # Errors
    /// When the directory or the process cannot be made.
    pub fn start(program: &Path, arguments: impl FnOnce(&Path) -> io::Result<Vec<String>>) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix("proxmox-identity-").tempdir()?;
        let child = Command::new("sh")
            .args(["-c", SUPERVISE, "sh"])
            .arg(dir.path())
            .arg(program)
            .args(arguments(dir.path())?)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A Ctrl-C is for us; we end the child in our own time.
            .process_group(0)
            .spawn()?;
        Ok(Self { child, dir: dir.keep() })
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where it keeps its files.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// True once it ended by itself.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.end()?.is_some())
    }

    /// How it ended by itself, once it has.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn end(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// The end of what it wrote.
    pub fn log_tail(&self) -> String {
        let log = fs::read(self.dir.join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        lines.get(lines.len().saturating_sub(15)..).unwrap_or_default().join("\n")
    }
}

impl Drop for GuardedChild {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // The watchdog has killed it by now, or does so at once.
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn sleeper() -> GuardedChild {
        GuardedChild::start(Path::new("sleep"), |_| Ok(vec!["600".to_owned()])).expect("sleep starts")
    }

    fn gone(path: &Path) -> bool {
        let deadline = Instant::now() + Duration::from_secs(10);
        while path.exists() {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        true
    }

    #[test]
    fn a_dropped_child_is_gone_with_its_files() {
        let mut child = sleeper();
        assert!(!child.has_ended().expect("a state"));
        let (dir, process) = (child.dir().to_owned(), PathBuf::from(format!("/proc/{}", child.child.id())));
        drop(child);
        assert!(!process.exists());
        assert!(gone(&dir));
    }

    #[test]
    fn the_log_of_a_child_that_ended_is_kept_until_the_drop() {
        let mut child = GuardedChild::start(Path::new("sh"), |_| Ok(vec!["-c".into(), "echo oops; exit 3".into()]))
            .expect("sh starts");
        while !child.has_ended().expect("a state") {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(child.log_tail(), "oops");
        let dir = child.dir().to_owned();
        drop(child);
        assert!(gone(&dir));
    }
}
