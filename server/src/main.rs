//! `limn`: the server, its administration, and a client, in one program.

use std::process::ExitCode;

fn main() -> ExitCode {
    limn_server::cli::main()
}
