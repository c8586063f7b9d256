//! What gateways share through Redis, against a real `redis-server`: started for each test, killed and restarted in the middle.

mod answers;
mod gateway;
#[path = "../gate/house.rs"]
#[expect(dead_code, reason = "the tests of the gate need more of the house")]
mod house;
mod notices;
mod outages;
mod secrecy;
mod server;
mod tls;
mod topology;
