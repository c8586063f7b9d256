//! Where a process listens, as the kernel knows it: so a test lets the kernel choose every port, whatever the process logs.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Waits until a process listens at this address, at whatever port.
pub(crate) async fn port_of(process: u32, address: Ipv4Addr) -> Option<SocketAddr> {
    for _ in 0..1_000 {
        let found = listening(process)?.into_iter().find(|found| found.ip() == address);
        if found.is_some() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None
}

/// `None` if there is no such process.
fn listening(process: u32) -> Option<Vec<SocketAddr>> {
    let descriptors = std::fs::read_dir(format!("/proc/{process}/fd")).ok()?.flatten();
    let links = descriptors.filter_map(|descriptor| std::fs::read_link(descriptor.path()).ok());
    let sockets: HashSet<String> = links
        .filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let table = std::fs::read_to_string(format!("/proc/{process}/net/tcp")).ok()?;
    let addresses = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, state, socket) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        let (address, port) = local.split_once(':')?;
        let address = Ipv4Addr::from(u32::from_str_radix(address, 16).ok()?.to_ne_bytes());
        let port = u16::from_str_radix(port, 16).ok()?;
        (*state == LISTEN && sockets.contains(*socket)).then(|| (address, port).into())
    });
    Some(addresses.collect())
}

const LISTEN: &str = "0A";
