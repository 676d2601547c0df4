//! The product: connections, sync engine, views, export, events.
