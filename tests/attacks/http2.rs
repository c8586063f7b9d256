//! The door for HTTP/2. The library `h2` speaks the protocol; the fields of the request, which it would not let be hostile, are
//! put in their place on the way.

use crate::case::{Case, split_field, unescape};
use crate::house::{House, PATIENCE};
use crate::judge::Outcome;
use bytes::Bytes;
use http::{HeaderMap, Request};
use std::collections::VecDeque;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// Sends a case on a connection of its own, and returns what came of it.
pub fn send(house: &House, case: &Case) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let told = runtime.block_on(async {
        let asking = ask(house, case);
        tokio::time::timeout(PATIENCE, asking).await.expect("an answer, or an end, in time").ok()
    });
    let status = told.as_ref().map(|head| head.status().as_u16().to_string());
    let told = told.map_or_else(String::new, |head| format!("{:?}", head.headers()).replace("\\\"", "\""));
    Outcome { status, told, arrived: house.arrivals() }
}

async fn ask(house: &House, case: &Case) -> Result<http::Response<()>, h2::Error> {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (mut read, write) = TcpStream::connect(house.address()).await.unwrap().into_split();
    let (from_h2, mut to_h2) = tokio::io::split(theirs);
    let blocks = [fields(house, case), trailers(house, case)];
    let blocks: VecDeque<Vec<u8>> = blocks.iter().map(block).collect();
    tokio::spawn(forge(from_h2, write, blocks));
    tokio::spawn(async move { tokio::io::copy(&mut read, &mut to_h2).await });

    let (send, connection) = h2::client::handshake(ours).await?;
    tokio::spawn(connection);
    let mut send = send.ready().await?;
    let body = unescape(&house.fill_in(&case.body));
    let (alone, with_trailers) = (body.is_empty() && case.trailers.is_empty(), !case.trailers.is_empty());
    let (answer, mut stream) = send.send_request(Request::new(()), alone)?;
    if !alone {
        // The other side may have answered already, and want no more.
        let _ = stream.send_data(Bytes::from(body), !with_trailers);
    }
    if with_trailers {
        let mut placeholder = HeaderMap::new();
        placeholder.insert("placeholder", "1".parse().unwrap());
        let _ = stream.send_trailers(placeholder);
    }
    let (head, mut body) = answer.await?.into_parts();
    while let Some(Ok(chunk)) = body.data().await {
        let _ = body.flow_control().release_capacity(chunk.len());
    }
    Ok(http::Response::from_parts(head, ()))
}

/// The fields of the request, names in lower case unless the case writes them out itself.
fn fields(house: &House, case: &Case) -> Fields {
    if case.send.first().is_some_and(|line| line.starts_with(':')) {
        return case.send.iter().map(|line| split_field(&unescape(&house.fill_in(line)))).collect();
    }
    let parts = case.parts(house);
    let (mut rest, mut authority) = (Fields::new(), case.host.then(|| b"api.test".to_vec()));
    for (name, value) in parts.fields {
        let name = name.to_ascii_lowercase();
        match &authority {
            None if name == b"host" => authority = Some(value),
            _ => rest.push((name, value)),
        }
    }
    let mut fields = vec![
        (b":method".to_vec(), parts.method),
        (b":scheme".to_vec(), b"http".to_vec()),
        (b":path".to_vec(), parts.target),
    ];
    fields.extend(authority.map(|authority| (b":authority".to_vec(), authority)));
    fields.extend(rest);
    fields
}

fn trailers(house: &House, case: &Case) -> Fields {
    case.trailers.iter().map(|line| split_field(&unescape(&house.fill_in(line)))).collect()
}

/// A header block of literal fields that are never indexed (RFC 7541 section 6.2.3), names and values byte for byte.
fn block(fields: &Fields) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0x10);
        for text in [name, value] {
            integer(&mut block, text.len());
            block.extend(text);
        }
    }
    block
}

/// An integer with a prefix of seven bits (RFC 7541 section 5.1), for a string that is not Huffman-coded.
fn integer(block: &mut Vec<u8>, value: usize) {
    let Some(mut rest) = value.checked_sub(127) else { return block.push(value as u8) };
    block.push(127);
    while rest >= 128 {
        block.push((rest % 128) as u8 | 128);
        rest /= 128;
    }
    block.push(rest as u8);
}

/// Passes frames on, and gives each header block the content that it is to have.
async fn forge(
    mut from: tokio::io::ReadHalf<DuplexStream>,
    mut to: OwnedWriteHalf,
    mut blocks: VecDeque<Vec<u8>>,
) -> std::io::Result<()> {
    let mut preface = [0; 24];
    from.read_exact(&mut preface).await?;
    to.write_all(&preface).await?;
    loop {
        let mut header = [0; 9];
        from.read_exact(&mut header).await?;
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]);
        let mut payload = vec![0; length as usize];
        from.read_exact(&mut payload).await?;
        let frames = match header[3] {
            HEADERS => header_frames(&blocks.pop_front().unwrap_or_default(), header),
            _ => [&header[..], &payload].concat(),
        };
        to.write_all(&frames).await?;
    }
}

/// HEADERS, and as many CONTINUATION as it takes (RFC 9113 section 6.10), on the stream and with the flags of this frame.
fn header_frames(block: &[u8], header: [u8; 9]) -> Vec<u8> {
    let mut frames = Vec::new();
    let chunks: Vec<&[u8]> = if block.is_empty() { vec![block] } else { block.chunks(16_384).collect() };
    for (index, chunk) in chunks.iter().enumerate() {
        let (kind, flags) = if index == 0 { (HEADERS, header[4] & END_STREAM) } else { (CONTINUATION, 0) };
        let end = if index + 1 == chunks.len() { END_HEADERS } else { 0 };
        frames.extend(&(chunk.len() as u32).to_be_bytes()[1..]);
        frames.extend([kind, flags | end]);
        frames.extend(&header[5..]);
        frames.extend(*chunk);
    }
    frames
}

const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
