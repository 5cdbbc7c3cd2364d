//! `demo`: the main job, shown on a real control plane, a simulated Pocket ID and a simulated Proxmox VE.
//!
//! [`story`] is what people see; it plays on a [`kubernetes`], a [`pocket_id`], a [`proxmox`] and the operator's own process.

mod kubernetes;
mod manifests;
mod operator;
mod people;
mod pocket_id;
mod proxmox;
mod screen;
mod standing;
mod story;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use screen::Screen;
use story::Story;

/// Why the demo did not go as it should.
type Failure = Box<dyn std::error::Error>;

/// Show the main job: from Git to a sign-in at Proxmox VE with Pocket ID, on a real Kubernetes API.
///
/// It starts etcd and kube-apiserver, simulators of Pocket ID and Proxmox VE and the operator, applies the manifests of
/// examples/pocket-id and shows what becomes of them: what is Ready, what waits and why, what stands in both. Then it
/// plays sign-ins, of somebody who may and of somebody who may not, breaks things behind the operator's back and shows
/// them healed, and takes everything away again. It ends with an error when anything is not as it should be.
///
/// Everything runs on loopback and in a temporary directory, and is gone at the end however that comes. Nothing of
/// yours is read or changed: not your kubeconfig, not a Pocket ID, not a Proxmox VE. Colours are for terminals only;
/// NO_COLOR turns them off.
///
/// It needs etcd, kube-apiserver, kube-controller-manager and kubectl: `make control-plane` builds them once, and KUBEBUILDER_ASSETS may name a
/// directory that has them.
#[derive(Args)]
pub struct Demo {
    /// Leave everything up at the end, say how to use it, and wait for Ctrl-C.
    #[arg(long)]
    keep: bool,
}

impl Demo {
    /// Tells the story.
    ///
    /// # Errors
    /// When something is not as it should be, with what to do.
    pub async fn run(self) -> Result<(), Failure> {
        let screen = Screen::new();
        let stopped = stopped()?;
        tokio::pin!(stopped);
        let story = tokio::select! {
            () = &mut stopped => return Err("interrupted; nothing is left running".into()),
            story = Story::tell(&screen, self.keep) => story?,
        };
        if self.keep {
            story.invite(&screen);
            stopped.await;
            screen.say("\nStopped; nothing is left running.");
        }
        Ok(())
    }
}

/// Completes on Ctrl-C and on SIGTERM.
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
