//! The guide to the Tester: one function in, two out, the second fed by what the first one made.

use crate::Tester;
use fastkafka::{App, ProduceError, consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

struct Staff;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Employee {
    name: String,
    surname: String,
    email: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Mail {
    receiver: String,
    subject: String,
    message: String,
}

#[consumes(app = Staff)]
async fn on_new_employee(employee: Employee) -> Result<(), ProduceError> {
    let employee = to_employee_email(employee).await?;
    to_welcome_message(&employee).await?;
    Ok(())
}

#[produces(app = Staff)]
async fn to_employee_email(mut employee: Employee) -> Result<Employee, ProduceError> {
    let (name, surname) = (&employee.name, &employee.surname);
    employee.email = Some(format!("{name}.{surname}@example.com"));
    Ok(employee)
}

#[produces(app = Staff)]
async fn to_welcome_message(employee: &Employee) -> Result<Mail, ProduceError> {
    Ok(Mail {
        receiver: employee.email.clone().unwrap_or_default(),
        subject: "Welcome".to_owned(),
        message: format!("Dear {}, good that you are here", employee.name),
    })
}

#[tokio::test(start_paused = true)]
async fn a_new_employee_gets_an_address_and_a_welcome() {
    let app = App::scoped::<Staff>().title("Staff").build();
    let tester = Tester::start(app).await.unwrap();
    let mickey = Employee {
        name: "Mickey".to_owned(),
        surname: "Mouse".to_owned(),
        email: None,
    };
    tester.to_new_employee(mickey.clone()).await;
    // A producer has changed it since: the spy has what came in.
    tester.spy::<on_new_employee>().assert_called_with(&mickey);
    tester.on_employee_email().assert_called();
    let mail = tester.on_welcome_message().last().unwrap();
    assert_eq!(mail.receiver, "Mickey.Mouse@example.com");
}
