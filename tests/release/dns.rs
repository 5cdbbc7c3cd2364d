//! A DNS server for one name, on an address of its own on loopback.

use std::net::{Ipv4Addr, UdpSocket};

/// The length of the header of a message.
const HEADER: usize = 12;
const TYPE_A: u16 = 1;
const NO_SUCH_NAME: u8 = 3;

/// Serves `name` as 127.0.0.1 until the process ends, and no other name; answers with the address for resolv.conf, which
/// can name no port. `None` where this user may not listen on port 53.
pub fn serve(name: &'static str) -> Option<Ipv4Addr> {
    let address = Ipv4Addr::new(127, 53, 53, 53);
    let socket = UdpSocket::bind((address, 53)).ok()?;
    std::thread::spawn(move || {
        let mut message = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut message) {
            let _ = socket.send_to(&answer(&message[..length], name), from);
        }
    });
    Some(address)
}

/// The answer to a message with one question.
fn answer(message: &[u8], name: &str) -> Vec<u8> {
    let (mut labels, mut at) = (Vec::new(), HEADER);
    while message[at] != 0 {
        let length = usize::from(message[at]);
        labels.push(String::from_utf8_lossy(&message[at + 1..=at + length]).into_owned());
        at += length + 1;
    }
    let kind = u16::from_be_bytes([message[at + 1], message[at + 2]]);
    let question = &message[HEADER..at + 5];
    let known = labels.join(".") == name;
    let found = known && kind == TYPE_A;

    let mut answer = message[..2].to_vec();
    // An authoritative answer; one question, at most one address, and nothing more.
    answer.extend([0x84, if known { 0 } else { NO_SUCH_NAME }, 0, 1, 0, u8::from(found), 0, 0, 0, 0]);
    answer.extend(question);
    if found {
        // The name of the question, type and class, 60 s to live, four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    }
    answer
}
