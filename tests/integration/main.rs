//! The product against the simulated organisation, over real HTTP.

mod bench;
mod command_line;
mod connections;
mod contract;
mod desk;
mod diagnostics;
mod entra_fixtures;
mod fault_machine;
mod fault_payloads;
mod faults;
mod fixtures;
mod history;
mod house_rules;
mod main_job;
mod network;
mod processes;
mod property;
mod refusals;
mod replies;
mod schedule;
mod shape;
mod signed_out;
mod simulator;
mod variants;
