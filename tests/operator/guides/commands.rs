//! The commands of a page.

use serde_json::Value;

use super::Place;
use crate::support::control_plane;
use crate::world::World;

/// Does what a command says, until it prints these lines.
pub async fn run(place: &Place, command: &str, printed: &[String]) {
    let world = &place.world;
    let pvesh = command.strip_prefix("pvesh get ");
    match (pvesh, command.strip_prefix("kubectl scale deployment proxmox-identity ")) {
        (Some(path), _) => shows(world, path.split(' ').next().unwrap_or(path), &printed.join("\n")).await,
        // No pods run here: the operator is a process of ours.
        (None, Some(rest)) if rest.ends_with("--replicas 0") => world.kill_operator(),
        (None, Some(_)) => drop(world.start_operator()),
        (None, None) => typed(place, command, printed).await,
    }
}

/// Waits until Proxmox VE shows this.
async fn shows(world: &World, path: &str, expected: &str) {
    let what = format!("{path} shows {expected}");
    if expected == "(gone)" {
        return world.until(&what, async || world.pve_find(path).await.is_none().then_some(())).await;
    }
    let expected: Value = serde_json::from_str(expected).unwrap_or_else(|error| panic!("{path}: {error}: {expected}"));
    world
        .until(&what, async || {
            let shown = world.pve_find(path).await?;
            let fits = contains(&shown, &expected);
            if !fits {
                println!("{path} shows {shown}");
            }
            fits.then_some(())
        })
        .await;
}

/// True when all of `part` is in `whole`; the order of lists does not count.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|whole| contains(whole, value)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            part.iter().all(|part| whole.iter().any(|whole| contains(whole, part)))
        }
        (whole, part) => whole == part,
    }
}

/// Runs a command with kubectl, as a shell does it, until it prints these lines.
async fn typed(place: &Place, command: &str, printed: &[String]) {
    let world = &place.world;
    let printed: Vec<String> = printed.iter().map(|line| place.printed(line)).collect();
    let kubectl = control_plane().await.kubectl();
    let program = kubectl.get_program().to_owned();
    let script = format!("kubectl() {{ {} -n {} \"$@\"; }}; {command}", program.display(), world.namespace);
    world
        .until(&format!("{command} prints {printed:#?}"), async || {
            let mut shell = tokio::process::Command::new("sh");
            shell
                .args(["-c", &script])
                .current_dir(place.checkout.path())
                .envs(kubectl.get_envs().filter_map(|(name, value)| Some((name, value?))));
            let output = shell.output().await.expect("a shell");
            let out = String::from_utf8_lossy(&output.stdout);
            let mut lines = out.lines();
            let fits = printed.iter().all(|line| lines.any(|it| fits(it, line)));
            if !output.status.success() || !fits {
                println!("{command}: {out}{}", String::from_utf8_lossy(&output.stderr));
            }
            (output.status.success() && fits).then_some(())
        })
        .await;
}

/// True when all words of `expected` are in a line, in their order.
fn fits(line: &str, expected: &str) -> bool {
    let mut rest = line;
    expected.split_whitespace().all(|word| match rest.split_once(word) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}
