//! How far the groups of an app are behind, whoever reads for them.

use super::App;
use super::begin::problem;
use crate::error::RunError;
use fastkafka_kafka::PartitionLag;

impl App {
    /// Asks the chosen brokers how far each group is behind, in each partition. The app need not run, and other
    /// processes may: it is what the groups have committed.
    ///
    /// # Errors
    /// The problems of [`App::check`], or what a broker refuses; also that there is none, as with the embedded one.
    pub async fn lag(&self) -> Result<Vec<PartitionLag>, RunError> {
        let plan = self.check()?;
        let choice = self.choice().clone();
        let connections = self.inner.connections(&plan.clusters, &choice);
        let connections = connections.map_err(problem)?;
        if connections.embedded {
            let what =
                "the embedded broker begins and ends with its app: there is no lag to ask for";
            return Err(problem(what).into());
        }
        let kafka = self.inner.kafka_options(connections, &choice);
        Ok(fastkafka_kafka::lag(&kafka, &plan).await?)
    }
}
