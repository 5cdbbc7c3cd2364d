//! Sentences about the client, against the simulator and a server that misbehaves.
