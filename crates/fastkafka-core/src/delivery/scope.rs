//! `delivery_scope`: sends in bulk outside a handler.

use super::ambient::{Ambient, Scoped};
use super::error::ProduceError;
use super::failure::Failure;
use super::settle::Delivery;
use super::slot::DeliveryScope;

/// Sends in bulk outside a handler: calls of producers inside `work` end when their record is
/// enqueued, and this ends when all of them are acknowledged. Sync producers work in it too.
///
/// Returns what `work` returned, and where each record ended up, in the order of acknowledgement.
/// Inside a handler it makes the handler wait for these outputs instead of its record's offset.
///
/// ```no_run
/// # async fn to_orders(n: u32) -> Result<u32, fastkafka_core::ProduceError> { Ok(n) }
/// # async fn example() -> Result<(), fastkafka_core::ProduceError> {
/// use fastkafka_core::{ProduceError, delivery_scope};
///
/// let (sum, deliveries) = delivery_scope(async {
///     let mut sum = 0;
///     for n in 0..10_000 {
///         sum += to_orders(n).await?;
///     }
///     Ok::<_, ProduceError>(sum)
/// })
/// .await?;
/// assert_eq!(deliveries.len(), 10_000);
/// # let _ = sum;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The error of `work`, else that a record was not acknowledged. What `work` had sent before its
/// error is awaited in either case.
pub async fn delivery_scope<T, E: From<ProduceError>>(
    work: impl Future<Output = Result<T, E>>,
) -> Result<(T, Vec<Delivery>), E> {
    let scope = DeliveryScope::collecting();
    let app = Ambient::current_app();
    let ambient = Ambient {
        app,
        scope: Some((*scope).clone()),
        record: Some(0),
    };
    let output = Scoped::new(ambient, Box::pin(work)).await;
    let reports = scope.reports().await;
    Ok((output?, reports.map_err(Failure::into_produce_error)?))
}
