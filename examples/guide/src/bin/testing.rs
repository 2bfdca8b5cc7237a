//! Testing: the new employees of FastKafka's guide, and what can go wrong with them.
//! `docs/guide/testing.md` tells about it.

use fastkafka::record::Bytes;
use fastkafka::{App, ProduceError, consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::process::ExitCode;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Employee {
    name: String,
    surname: String,
    email: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Mail {
    receiver: Option<String>,
    subject: String,
}

#[consumes(
    auto_offset_reset = "earliest",
    attempts = 3,
    dead_letter = "new_employee.dead"
)]
async fn on_new_employee(employee: Employee) -> Result<(), ProduceError> {
    let employee = to_employee_email(employee).await?;
    to_welcome_message(&employee).await?;
    Ok(())
}

#[produces]
async fn to_employee_email(mut employee: Employee) -> Result<Employee, ProduceError> {
    let (name, surname) = (&employee.name, &employee.surname);
    employee.email = Some(format!("{name}.{surname}@example.com"));
    Ok(employee)
}

#[produces]
async fn to_welcome_message(employee: &Employee) -> Result<Mail, ProduceError> {
    Ok(Mail {
        receiver: employee.email.clone(),
        subject: format!("Welcome, {}", employee.name),
    })
}

fn app() -> App {
    App::builder()
        .title("Staff")
        .default_broker("embedded")
        .build()
}

/// A program elsewhere, which does not know what an employee is.
#[produces(app = guide::Outside, topic = "new_employee")]
async fn to_new_employee(json: &'static str) -> Result<Bytes, ProduceError> {
    Ok(Bytes::from_static(json.as_bytes()))
}

fn main() -> ExitCode {
    guide::main(app, 5, async |_| {
        to_new_employee(r#"{"name":"Mickey","surname":"Mouse"}"#).await?;
        to_new_employee(r#"{"name":"Donald"}"#).await?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_tester::{ProduceFault, Tester};

    fn mickey() -> Employee {
        Employee {
            name: "Mickey".to_owned(),
            surname: "Mouse".to_owned(),
            email: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_employee_gets_an_address_and_a_welcome() {
        let tester = Tester::start(app()).await.unwrap();
        tester.to_new_employee(mickey()).await;
        let handler = tester.spy::<on_new_employee>();
        handler.assert_called_with(&mickey());
        tester.on_employee_email().assert_called_once();
        let mail = tester.on_welcome_message().last().unwrap();
        assert_eq!(mail.receiver.as_deref(), Some("Mickey.Mouse@example.com"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_welcome_is_sent_again() {
        let tester = Tester::start(app()).await.unwrap();
        tester.fail_next_produce("welcome_message", ProduceFault::Lost);
        tester.to_new_employee(mickey()).await;
        assert_eq!(tester.spy::<on_new_employee>().count(), 2);
        tester.on_welcome_message().assert_called_once();
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_employee_is_put_aside() {
        let tester = Tester::start(app()).await.unwrap();
        tester
            .mirror::<on_new_employee>()
            .raw(r#"{"name":"Donald"}"#)
            .await;
        assert_eq!(tester.records("new_employee.dead").len(), 1);
        tester.spy::<on_new_employee>().assert_not_called();
    }

    #[test]
    fn every_new_employee_is_welcomed_whatever_happens() {
        Tester::every_crash(
            |_| app(),
            async |tester| {
                tester.to_new_employee(mickey()).await;
            },
            async |tester| {
                tester.on_employee_email().assert_called();
                tester.on_welcome_message().assert_called();
            },
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_happens_to_a_new_employee() {
        let tester = Tester::start(app()).await.unwrap();
        tester.to_new_employee(mickey()).await;
        let expected = r#"
    0.000s process 0 starts
    0.000s process 0 in `staff`: gets new_employee[0]
    0.000s process 0 in `staff`: commits 0 in new_employee[0]
    0.000s record => new_employee[0] offset 0: {"name":"Mickey","surname":"Mouse","email":null}
    0.000s process 0: `on_new_employee` <= new_employee[0] offset 0: {"name":"Mickey","surname":"Mouse","email":null}
    0.000s record of `to_employee_email` => employee_email[0] offset 0: {"name":"Mickey","surname":"Mouse","email":"Mickey.Mouse@example.com"}
    0.000s record of `to_welcome_message` => welcome_message[0] offset 0: {"receiver":"Mickey.Mouse@example.com","subject":"Welcome, Mickey"}
    0.000s process 0: `on_new_employee`: new_employee[0] offset 0: {"name":"Mickey","surname":"Mouse","email":null} => done
    0.000s process 0 in `staff`: commits 1 in new_employee[0]
"#;
        assert_eq!(tester.transcript().trim(), expected.trim());
    }

    #[tokio::test(start_paused = true)]
    async fn a_mock_takes_the_place_of_a_handler() {
        let tester = Tester::start(app()).await.unwrap();
        let mut handler = tester.mock::<on_new_employee>();
        handler.expect_call().times(1).returning(|_| Ok(()));
        drop(handler);
        tester.to_new_employee(mickey()).await;
        tester.on_employee_email().assert_not_called();
        tester.stop().await;
    }
}
