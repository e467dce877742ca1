//! Connections that carry one transaction at a time.

use std::ops::{Deref, DerefMut};

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Connections to a database. Whoever finds none free waits, first come, first served.
pub(crate) struct Pool<T> {
    idle: Mutex<Vec<T>>,
    permits: Semaphore,
}

/// A connection, until it is dropped.
pub(crate) struct Lent<'a, T> {
    pool: &'a Pool<T>,
    connection: Option<T>,
    _permit: SemaphorePermit<'a>,
}

impl<T> Pool<T> {
    pub(crate) fn new(connections: Vec<T>) -> Pool<T> {
        let permits = Semaphore::new(connections.len());
        Pool { idle: Mutex::new(connections), permits }
    }

    pub(crate) async fn lend(&self) -> Lent<'_, T> {
        let permit = self.permits.acquire().await.expect("the semaphore is never closed");
        let connection = self.idle.lock().pop();
        assert!(connection.is_some(), "there is a connection for each permit");
        Lent { pool: self, connection, _permit: permit }
    }
}

impl<T> Deref for Lent<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.connection.as_ref().expect("it is given back only when this is dropped")
    }
}

impl<T> DerefMut for Lent<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.connection.as_mut().expect("it is given back only when this is dropped")
    }
}

impl<T> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        // Before the permit, which is a field and dropped after this.
        self.pool.idle.lock().extend(self.connection.take());
    }
}
