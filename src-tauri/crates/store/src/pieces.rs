//! A view's rows, read by several threads at once: each decrypts and unpacks its own, which is most of
//! the work.

use std::ops::ControlFlow;
use std::sync::mpsc::{SyncSender, sync_channel};

use rusqlite::{Connection, TransactionBehavior};

use crate::mirror::Mirror;
use crate::row::Row;
use crate::threads::{joined, threads};
use crate::view_rows::{self, View};
use crate::{Result, StoreError};

/// Rows of a piece: with their records some 2 MB.
const PIECE_ROWS: usize = 256;
/// Pieces of a thread that wait at most.
const WAITING_PIECES: usize = 2;

impl Mirror {
    /// Makes pieces of a view's rows in several threads, and hands them over in the view's order, on one
    /// state of the database. Rows that are gone since are left out.
    ///
    /// # Errors
    /// [`StoreError::UnknownColumn`], or where the database cannot be read.
    pub fn pieces<P: Send>(
        &self,
        view: &View,
        columns: &[String],
        want_raw: bool,
        make: impl Fn(Vec<Row>) -> P + Sync,
        mut take: impl FnMut(P) -> ControlFlow<()>,
    ) -> Result<()> {
        let count = threads();
        let connections = self.readers_of_one_state(count)?;
        let read = std::thread::scope(|scope| {
            let make = &make;
            let (mut workers, mut queues) = (Vec::new(), Vec::new());
            for (first, connection) in connections.into_iter().enumerate() {
                let (send, queue) = sync_channel(WAITING_PIECES);
                queues.push(queue);
                workers.push(scope.spawn(move || {
                    let share = Share {
                        view,
                        columns,
                        want_raw,
                        first,
                        step: count,
                    };
                    let read = self.read_share(&connection, &share, make, &send);
                    if connection.execute_batch("ROLLBACK").is_ok() {
                        self.put_back(connection);
                    }
                    read
                }));
            }
            // A thread that has no more is the one whose turn comes after the last piece.
            'all: loop {
                for queue in &queues {
                    let Ok(piece) = queue.recv() else { break 'all };
                    if take(piece).is_break() {
                        break 'all;
                    }
                }
            }
            drop(queues);
            let read: Vec<_> = workers.into_iter().map(joined).collect();
            read.into_iter().collect()
        });
        self.watched(read)
    }

    /// Connections in whose transactions the database is the same: nobody commits while they begin.
    fn readers_of_one_state(&self, count: usize) -> Result<Vec<Connection>> {
        let connections: Vec<Connection> = (0..count)
            .map(|_| self.take_reader())
            .collect::<Result<_>>()?;
        self.write(move |writer| {
            let held = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for connection in &connections {
                // A transaction sees what there is when it first reads.
                connection.execute_batch("BEGIN; SELECT 1 FROM mirrored LIMIT 1")?;
            }
            held.rollback()?;
            Ok(connections)
        })
    }

    fn read_share<P>(
        &self,
        connection: &Connection,
        share: &Share<'_>,
        make: &impl Fn(Vec<Row>) -> P,
        send: &SyncSender<P>,
    ) -> Result<(), StoreError> {
        let Share { view, columns, .. } = *share;
        let mut reader =
            view_rows::reader(connection, self.codec(), view, columns, share.want_raw)?;
        let pieces = view.rowids.chunks(PIECE_ROWS);
        for rowids in pieces.skip(share.first).step_by(share.step) {
            let mut rows = Vec::with_capacity(rowids.len());
            for rowid in rowids {
                rows.extend(reader.read(i64::from(*rowid))?);
            }
            if send.send(make(rows)).is_err() {
                // Nobody takes it any more.
                break;
            }
        }
        Ok(())
    }
}

/// Every so many pieces of a view, from one on.
struct Share<'s> {
    view: &'s View,
    columns: &'s [String],
    want_raw: bool,
    first: usize,
    step: usize,
}
