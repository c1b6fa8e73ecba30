//! The town's own line of history.

use yaoguan_model::Env;

use super::Sqlite;
use crate::error::TownError;

impl Sqlite {
    /// This file goes on with another line of history than phones have seen of it: a new epoch, a new
    /// replica id, a new cursor secret, no push chains. Phones void their positions and reconcile.
    pub async fn renew_line(&self, env: &dyn Env) -> Result<(), TownError> {
        let secret: Vec<u8> = env.random_16().into_iter().chain(env.random_16()).collect();
        let (epoch, replica) = (env.random_16(), env.new_replica_id());
        self.write(move |tx| {
            tx.execute(
                "UPDATE town SET epoch = ?1, replica = ?2, cursor_secret = ?3, lines = lines + 1",
                (epoch, replica.0, secret),
            )?;
            tx.execute("UPDATE replica SET token = NULL", [])?;
            tx.execute("UPDATE device SET root_at = 0", [])?;
            Ok(())
        })
        .await
    }
}
