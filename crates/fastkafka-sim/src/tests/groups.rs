use crate::*;

fn cluster(protocol: Protocol, partitions: usize) -> (Cluster<u8>, GroupId, TopicId) {
    let mut cluster = Cluster::new();
    let topic = cluster.create_topic("in", partitions);
    let group = cluster.create_group("g", protocol, Assignor::Sticky);
    (cluster, group, topic)
}

/// Lets everybody do and answer everything until nothing is left to do.
fn settle(cluster: &mut Cluster<u8>, clients: &mut [Client<u8>]) {
    for _ in 0..1000 {
        let mut moved = false;
        for client in &mut *clients {
            moved |= client.may_exchange(cluster);
            if let Some(notice) = client.exchange(cluster) {
                answer(cluster, client, &notice);
            }
            moved |= client.answer_commit(cluster, Answer::Arrives).is_some();
        }
        if !moved {
            return;
        }
    }
    panic!("a group that never comes to rest");
}

fn answer(cluster: &Cluster<u8>, client: &mut Client<u8>, notice: &Notice) {
    match notice {
        Notice::Assign(partitions) => {
            let group = client.group();
            let starts: Vec<_> = partitions
                .iter()
                .map(|p| (p, cluster.committed(group, p).map_or(0, |c| c.offset)))
                .collect();
            client.assign(&starts).unwrap();
        }
        Notice::Revoke { .. } => client.unassign().unwrap(),
    }
}

#[test]
fn two_members_share_four_partitions_under_every_protocol() {
    for protocol in [Protocol::Eager, Protocol::Cooperative, Protocol::Consumer] {
        let (mut cluster, group, topic) = cluster(protocol, 4);
        let mut clients = vec![Client::new(group, [topic])];
        settle(&mut cluster, &mut clients);
        assert_eq!(clients[0].assignment().len(), 4, "{protocol:?}");
        clients.push(Client::new(group, [topic]));
        settle(&mut cluster, &mut clients);
        let mine: Vec<_> = clients.iter().map(|c| c.assignment().len()).collect();
        assert_eq!(mine, [2, 2], "{protocol:?}");
    }
}
