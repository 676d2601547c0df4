//! What leaves the process: DTOs, error codes, the table of commands.
