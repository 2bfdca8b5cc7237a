//! A nearest-centroid classifier: small enough to read, good enough to be worth serving.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The measurements of one iris flower, in centimetres.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IrisInputData {
    /// Sepal length in cm.
    pub sepal_length: f64,
    /// Sepal width in cm.
    pub sepal_width: f64,
    /// Petal length in cm.
    pub petal_length: f64,
    /// Petal width in cm.
    pub petal_width: f64,
}

impl IrisInputData {
    fn features(&self) -> [f64; 4] {
        [
            self.sepal_length,
            self.sepal_width,
            self.petal_length,
            self.petal_width,
        ]
    }
}

/// The species the model holds the flower for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IrisPrediction {
    /// `setosa`, `versicolor` or `virginica`.
    pub species: String,
}

/// One flower of the data set: what was measured and what a botanist called it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Flower {
    sepal_length: f64,
    sepal_width: f64,
    petal_length: f64,
    petal_width: f64,
    /// The species by the botanist.
    pub species: String,
}

impl Flower {
    /// The 150 flowers of Fisher 1936, 50 of each species.
    #[must_use]
    pub fn all() -> Vec<Self> {
        serde_json::from_str(include_str!("../data/iris.json"))
            .expect("the data set of this crate is valid")
    }

    /// What is measured on this flower: the input of the model.
    #[must_use]
    pub fn measurements(&self) -> IrisInputData {
        IrisInputData {
            sepal_length: self.sepal_length,
            sepal_width: self.sepal_width,
            petal_length: self.petal_length,
            petal_width: self.petal_width,
        }
    }
}

/// The mean flower of each species.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    centroids: BTreeMap<String, [f64; 4]>,
}

impl Model {
    /// Learns the mean flower of each species.
    ///
    /// # Panics
    ///
    /// When `flowers` is empty: there would be nothing to predict.
    #[must_use]
    pub fn train(flowers: &[Flower]) -> Self {
        assert!(
            !flowers.is_empty(),
            "a model needs at least one flower to learn from"
        );
        let mut species = BTreeMap::<_, Vec<[f64; 4]>>::new();
        for flower in flowers {
            species
                .entry(flower.species.clone())
                .or_default()
                .push(flower.measurements().features());
        }
        let centroids = species
            .into_iter()
            .map(|(name, features)| (name, mean(&features)))
            .collect();
        Self { centroids }
    }

    /// The species whose mean flower is nearest; of two equally near the first by name.
    ///
    /// # Panics
    ///
    /// Never: a trained model knows at least one species.
    #[must_use]
    pub fn predict(&self, flower: &IrisInputData) -> IrisPrediction {
        let features = flower.features();
        let (species, _) = self
            .centroids
            .iter()
            .map(|(species, centroid)| (species, distance_squared(&features, centroid)))
            .min_by(|(_, a), (_, b)| a.total_cmp(b))
            .expect("a trained model knows at least one species");
        IrisPrediction {
            species: species.clone(),
        }
    }

    /// How many of `flowers` the model names as the botanist did.
    #[must_use]
    pub fn correct(&self, flowers: &[Flower]) -> usize {
        flowers
            .iter()
            .filter(|flower| self.predict(&flower.measurements()).species == flower.species)
            .count()
    }
}

fn mean(rows: &[[f64; 4]]) -> [f64; 4] {
    let mut sum = [0.0; 4];
    let mut count = 0.0;
    for row in rows {
        for (total, value) in sum.iter_mut().zip(row) {
            *total += value;
        }
        count += 1.0;
    }
    sum.map(|total| total / count)
}

fn distance_squared(a: &[f64; 4], b: &[f64; 4]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flower(petal_length: f64, species: &str) -> Flower {
        Flower {
            sepal_length: 5.0,
            sepal_width: 3.0,
            petal_length,
            petal_width: 1.0,
            species: species.to_owned(),
        }
    }

    #[test]
    fn the_data_set_has_fifty_flowers_of_each_species() {
        let mut count = BTreeMap::<String, usize>::new();
        for flower in Flower::all() {
            *count.entry(flower.species).or_default() += 1;
        }
        let expected = ["setosa", "versicolor", "virginica"].map(|name| (name.to_owned(), 50));
        assert_eq!(count, BTreeMap::from(expected));
    }

    #[test]
    fn the_mean_setosa_is_the_one_in_the_books() {
        let model = Model::train(&Flower::all());
        let expected = [5.006, 3.428, 1.462, 0.246];
        assert!(distance_squared(&model.centroids["setosa"], &expected) < 1e-18);
    }

    #[test]
    fn the_model_is_right_on_139_of_150_flowers() {
        let flowers = Flower::all();
        assert_eq!(Model::train(&flowers).correct(&flowers), 139);
    }

    #[test]
    fn the_nearest_mean_wins_and_not_the_nearest_flower() {
        let model = Model::train(&[
            flower(0.0, "short"),
            flower(4.0, "short"),
            flower(7.0, "long"),
        ]);
        // Nearer to the flower at 4 than to the one at 7, but their means are 2 and 7.
        let prediction = model.predict(&flower(5.0, "?").measurements());
        assert_eq!(prediction.species, "long");
    }

    #[test]
    #[should_panic(expected = "at least one flower")]
    fn a_model_can_not_learn_from_nothing() {
        let _ = Model::train(&[]);
    }

    #[test]
    fn an_input_is_read_by_the_names_of_the_tutorial() {
        let input: IrisInputData = serde_json::from_str(
            r#"{"sepal_length":5.1,"sepal_width":3.5,"petal_length":1.4,"petal_width":0.2}"#,
        )
        .unwrap();
        assert_eq!(input, Flower::all()[0].measurements());
    }
}
