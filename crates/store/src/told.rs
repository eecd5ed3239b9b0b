//! What license servers said last of their seats.

use crate::backend::all;
use crate::{Error, Reader};
use accounting::UnixMs;
use accounting::ledger::ServerId;
use accounting::session::FeatureId;

/// What a license server said last of the seats of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeatsTold {
    /// The license server.
    pub server: ServerId,
    /// The feature.
    pub feature: FeatureId,
    /// When it said so.
    pub at: UnixMs,
    /// Seats that are kept for somebody.
    pub seats_reserved: i64,
    /// Seats that somebody waits for.
    pub seats_queued: i64,
    /// Seats that were taken away for a while.
    pub seats_borrowed: i64,
}

impl Reader<'_> {
    /// What the license servers said last of their seats.
    pub fn seats_told(&mut self) -> Result<Vec<SeatsTold>, Error> {
        let sql =
            "select server_id, feature_id, at, seats_reserved, seats_queued, seats_borrowed from seats_now
                   order by feature_id, server_id, vendor";
        all(self.parts().0, sql, &[], |row| {
            Ok(SeatsTold {
                server: row.id(0)?,
                feature: row.id(1)?,
                at: row.int(2)?,
                seats_reserved: row.int(3)?,
                seats_queued: row.int(4)?,
                seats_borrowed: row.int(5)?,
            })
        })
    }
}
