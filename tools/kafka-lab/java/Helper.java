import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * {@code Helper bootstrap data}: owns the broker processes and does Kafka's own clients' part.
 *
 * <p>One JSON request per line on stdin; on stdout any number of {@code {"record":..}} lines, then {@code {"ok":..}}
 * or {@code {"error":".."}}. When stdin ends, however its owner ended, the brokers are killed and their data removed.
 */
public final class Helper {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long PATIENCE_MS = 60_000;
    /** Short: between two questions we look whether the broker still lives. */
    private static final int ASK_MS = 1_000;

    private final PrintStream out;
    private final String bootstrap;
    private final Map<Integer, Process> brokers = new HashMap<>();
    private Admin admin;

    private Helper(PrintStream out, String bootstrap) {
        this.out = out;
        this.bootstrap = bootstrap;
    }

    public static void main(String[] args) throws Exception {
        // Nothing but answers may reach the real stdout.
        PrintStream out =
                new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false, StandardCharsets.UTF_8);
        System.setOut(System.err);
        Helper helper = new Helper(out, args[0]);
        // Requests run on a thread of their own: one that waits must not hide the end of stdin.
        ExecutorService requests = Executors.newSingleThreadExecutor();
        try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String request = line;
                requests.submit(() -> helper.serve(request));
            }
        } finally {
            helper.end(Path.of(args[1]));
        }
    }

    private void serve(String request) {
        try {
            answer("ok", handle(JSON.readTree(request)));
        } catch (ExecutionException e) {
            answer("error", String.valueOf(e.getCause()));
        } catch (Exception e) {
            answer("error", String.valueOf(e));
        }
        out.flush();
    }

    /** Synchronized to the last instruction: a start that comes late must not leave a broker behind. */
    private synchronized void end(Path data) throws Exception {
        try {
            for (int node : List.copyOf(brokers.keySet())) {
                kill(node);
            }
            removeAll(data);
        } finally {
            // Client threads may be waiting for a broker that is gone.
            Runtime.getRuntime().halt(0);
        }
    }

    private void answer(String kind, Object value) {
        ObjectNode line = JSON.createObjectNode();
        line.set(kind, JSON.valueToTree(value));
        out.println(line);
    }

    private Object handle(JsonNode request) throws Exception {
        String topic = request.path("topic").asText();
        switch (request.path("do").asText()) {
            case "start":
                return start(request.get("node").asInt(), request.get("command"), request.get("log").asText());
            case "await_ready":
                return awaitReady(request.get("node").asInt());
            case "kill":
                kill(request.get("node").asInt());
                return null;
            case "terminate":
                terminate(request.get("node").asInt());
                return null;
            case "create_topic":
                return createTopic(topic, request.get("partitions").asInt(), strings(request.get("configs")));
            case "delete_topic":
                return deleteTopic(topic);
            case "add_partitions":
                return addPartitions(topic, request.get("total").asInt());
            case "alter_topic_config":
                return alterConfig(topic, request.get("key").asText(), request.get("value").asText());
            case "delete_records":
                return deleteRecords(
                        new TopicPartition(topic, request.get("partition").asInt()), request.get("before").asLong());
            case "end_offsets":
                return endOffsets(topic);
            case "committed":
                return committed(request.get("group").asText(), topic);
            case "commit":
                return commit(
                        request.get("group").asText(),
                        new TopicPartition(topic, request.get("partition").asInt()),
                        request.get("offset").asLong());
            case "group":
                return group(request.get("group").asText());
            case "deny_group":
                admin.createAcls(List.of(looksAt(request.get("group").asText()))).all().get();
                return null;
            case "allow_group":
                admin.deleteAcls(List.of(looksAt(request.get("group").asText()).toFilter())).all().get();
                return null;
            case "deny_writes":
                return denyWrites(topic);
            case "produce":
                return produce(topic, request.get("records"), request.path("transaction").asText(""));
            case "consume":
                return consume(topic);
            default:
                throw new IllegalArgumentException("unknown request " + request);
        }
    }

    // The broker processes

    private synchronized Object start(int node, JsonNode command, String log) throws IOException {
        List<String> words = new ArrayList<>();
        command.forEach(word -> words.add(word.asText()));
        Process broker = new ProcessBuilder(words)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(new File(log)))
                .start();
        brokers.put(node, broker);
        return broker.pid();
    }

    /** Ready: metadata is served, and the group coordinator too, whose topic is created by the first who asks. */
    private Object awaitReady(int node) throws Exception {
        Process broker = brokers.get(node);
        if (admin == null) {
            admin = Admin.create(clientConfig());
        }
        until("the broker is ready", () -> {
            if (!broker.isAlive()) {
                throw new IllegalStateException("the broker ended with status " + broker.exitValue());
            }
            try {
                boolean known = admin.describeCluster(new DescribeClusterOptions().timeoutMs(ASK_MS))
                        .nodes()
                        .get()
                        .stream()
                        .anyMatch(one -> one.id() == node);
                admin.listConsumerGroupOffsets(
                                "kafka-lab-ready", new ListConsumerGroupOffsetsOptions().timeoutMs(ASK_MS))
                        .partitionsToOffsetAndMetadata()
                        .get();
                return known;
            } catch (ExecutionException e) {
                if (e.getCause() instanceof RetriableException) {
                    return false;
                }
                throw e;
            }
        });
        return null;
    }

    private synchronized void kill(int node) throws InterruptedException {
        Process broker = brokers.remove(node);
        if (broker != null) {
            broker.destroyForcibly().waitFor();
        }
    }

    /** Not synchronized while it waits: the end of everything must not have to wait as well. */
    private void terminate(int node) throws Exception {
        Process broker;
        synchronized (this) {
            broker = brokers.get(node);
        }
        // By its handle: Process.destroy would close its stdin too, which it takes for our end.
        broker.toHandle().destroy();
        if (!broker.waitFor(PATIENCE_MS, TimeUnit.MILLISECONDS)) {
            throw new IllegalStateException("the broker did not end within " + PATIENCE_MS / 1000 + " s");
        }
    }

    // Topics. Each waits until the broker shows the change: the controller answers before that.

    private Object createTopic(String topic, int partitions, Map<String, String> configs) throws Exception {
        NewTopic created = new NewTopic(topic, Optional.of(partitions), Optional.empty()).configs(configs);
        admin.createTopics(List.of(created)).all().get();
        until("topic " + topic + " has leaders", () -> leaders(topic) == partitions);
        return null;
    }

    private Object deleteTopic(String topic) throws Exception {
        admin.deleteTopics(List.of(topic)).all().get();
        until("topic " + topic + " is gone", () -> !admin.listTopics().names().get().contains(topic));
        return null;
    }

    private Object addPartitions(String topic, int total) throws Exception {
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(total))).all().get();
        until("topic " + topic + " has leaders", () -> leaders(topic) == total);
        return null;
    }

    private long leaders(String topic) throws Exception {
        try {
            return describe(topic).partitions().stream()
                    .filter(p -> p.leader() != null && !p.leader().isEmpty())
                    .count();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                return 0;
            }
            throw e;
        }
    }

    private Object alterConfig(String topic, String key, String value) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        AlterConfigOp set = new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get();
        until(key + " is " + value, () -> admin.describeConfigs(List.of(resource))
                .all()
                .get()
                .get(resource)
                .get(key)
                .value()
                .equals(value));
        return null;
    }

    private Object deleteRecords(TopicPartition partition, long before) throws Exception {
        admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(before))).all().get();
        return null;
    }

    private Object endOffsets(String topic) throws Exception {
        Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
        partitions(topic).forEach(p -> latest.put(p, OffsetSpec.latest()));
        Map<Integer, Long> offsets = new TreeMap<>();
        admin.listOffsets(latest).all().get().forEach((p, end) -> offsets.put(p.partition(), end.offset()));
        return offsets;
    }

    private TopicDescription describe(String topic) throws Exception {
        return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
    }

    private List<TopicPartition> partitions(String topic) throws Exception {
        return describe(topic).partitions().stream()
                .map(p -> new TopicPartition(topic, p.partition()))
                .toList();
    }

    // Groups. One that nobody has heard of is dead and empty, as in Kafka's own protocol before 4.0.

    private Object committed(String group, String topic) throws Exception {
        Map<Integer, Long> offsets = new TreeMap<>();
        Map<TopicPartition, OffsetAndMetadata> all;
        try {
            all = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof GroupIdNotFoundException) {
                return offsets;
            }
            throw e;
        }
        all.forEach((p, committed) -> {
            if (p.topic().equals(topic) && committed != null) {
                offsets.put(p.partition(), committed.offset());
            }
        });
        return offsets;
    }

    private Object commit(String group, TopicPartition partition, long offset) throws Exception {
        admin.alterConsumerGroupOffsets(group, Map.of(partition, new OffsetAndMetadata(offset)))
                .all()
                .get();
        return null;
    }

    private Object group(String group) throws Exception {
        ConsumerGroupDescription described;
        try {
            described = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof GroupIdNotFoundException) {
                return Map.of("state", "Dead", "members", List.of());
            }
            throw e;
        }
        List<Object> members = new ArrayList<>();
        for (MemberDescription member : described.members()) {
            List<Object> assigned = new ArrayList<>();
            for (TopicPartition p : member.assignment().topicPartitions()) {
                assigned.add(List.of(p.topic(), p.partition()));
            }
            members.add(Map.of("client_id", member.clientId(), "assigned", assigned));
        }
        return Map.of("state", described.groupState().toString(), "members", members);
    }

    /** A group with a rule of its own takes nothing but what the rule allows. */
    private static AclBinding looksAt(String group) {
        return new AclBinding(
                new ResourcePattern(ResourceType.GROUP, group, PatternType.LITERAL),
                new AccessControlEntry("User:*", "*", AclOperation.DESCRIBE, AclPermissionType.ALLOW));
    }

    /** As {@link #looksAt}, for a topic that may be read. */
    private static AclBinding reads(String topic) {
        return new AclBinding(
                new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
                new AccessControlEntry("User:*", "*", AclOperation.READ, AclPermissionType.ALLOW));
    }

    private Object denyWrites(String topic) throws Exception {
        admin.createAcls(List.of(reads(topic))).all().get();
        DescribeTopicsOptions withRights = new DescribeTopicsOptions().includeAuthorizedOperations(true);
        until("nobody may write to " + topic, () -> !admin.describeTopics(List.of(topic), withRights)
                .allTopicNames()
                .get()
                .get(topic)
                .authorizedOperations()
                .contains(AclOperation.WRITE));
        return null;
    }

    // Records

    /** {@code transaction} is empty, {@code commit} or {@code abort}. */
    private Object produce(String topic, JsonNode records, String transaction) throws Exception {
        Map<String, Object> config = clientConfig();
        config.put("linger.ms", "5");
        config.put("request.timeout.ms", "5000");
        config.put("delivery.timeout.ms", "10000");
        if (!transaction.isEmpty()) {
            config.put("transactional.id", "kafka-lab");
            config.put("transaction.timeout.ms", "10000");
        }
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            if (!transaction.isEmpty()) {
                producer.initTransactions();
                producer.beginTransaction();
            }
            for (JsonNode record : records) {
                JsonNode partition = record.get("partition");
                ProducerRecord<byte[], byte[]> out = new ProducerRecord<>(
                        topic,
                        partition.isNull() ? null : partition.asInt(),
                        bytes(record.get("key")),
                        bytes(record.get("value")));
                for (JsonNode header : record.get("headers")) {
                    out.headers().add(header.get(0).asText(), bytes(header.get(1)));
                }
                sent.add(producer.send(out));
            }
            producer.flush();
            if (transaction.equals("commit")) {
                producer.commitTransaction();
            } else if (transaction.equals("abort")) {
                producer.abortTransaction();
            }
        }
        List<Object> places = new ArrayList<>();
        for (Future<RecordMetadata> one : sent) {
            places.add(List.of(one.get().partition(), one.get().offset()));
        }
        return places;
    }

    private Object consume(String topic) throws Exception {
        List<TopicPartition> partitions = partitions(topic);
        Map<String, Object> config = clientConfig();
        config.put("enable.auto.commit", "false");
        // At the end of a partition a fetch waits this long, and closing waits for the fetch.
        config.put("fetch.max.wait.ms", "10");
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            // Positions, not counts: compaction and transaction markers leave gaps.
            long deadline = deadline();
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                ConsumerRecords<byte[], byte[]> polled = consumer.poll(Duration.ofMillis(100));
                deadline = polled.isEmpty() ? stillBefore(deadline, "the next record of " + topic) : deadline();
                for (ConsumerRecord<byte[], byte[]> record : polled) {
                    if (record.offset() < ends.get(new TopicPartition(topic, record.partition()))) {
                        answer("record", fields(record));
                    }
                }
            }
        }
        return null;
    }

    private static Map<String, Object> fields(ConsumerRecord<byte[], byte[]> record) {
        List<Object> headers = new ArrayList<>();
        for (Header header : record.headers()) {
            List<Object> pair = new ArrayList<>();
            pair.add(header.key());
            pair.add(header.value());
            headers.add(pair);
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("partition", record.partition());
        fields.put("offset", record.offset());
        fields.put("timestamp", record.timestamp());
        fields.put("key", record.key());
        fields.put("value", record.value());
        fields.put("headers", headers);
        return fields;
    }

    private Map<String, Object> clientConfig() {
        Map<String, Object> config = new HashMap<>();
        config.put("bootstrap.servers", bootstrap);
        config.put("reconnect.backoff.ms", "20");
        config.put("reconnect.backoff.max.ms", "100");
        config.put("retry.backoff.ms", "20");
        return config;
    }

    /** JSON null is a tombstone's value, a missing key or an empty header; bytes are base64, as Jackson has them. */
    private static byte[] bytes(JsonNode node) throws IOException {
        return node.isNull() ? null : node.binaryValue();
    }

    private static Map<String, String> strings(JsonNode object) {
        Map<String, String> strings = new HashMap<>();
        object.properties().forEach(field -> strings.put(field.getKey(), field.getValue().asText()));
        return strings;
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void until(String what, Condition condition) throws Exception {
        long deadline = deadline();
        while (!condition.holds()) {
            stillBefore(deadline, what);
            Thread.sleep(5);
        }
    }

    private static long deadline() {
        return System.currentTimeMillis() + PATIENCE_MS;
    }

    private static long stillBefore(long deadline, String what) {
        if (System.currentTimeMillis() > deadline) {
            throw new IllegalStateException("not within " + PATIENCE_MS / 1000 + " s: " + what);
        }
        return deadline;
    }

    private static void removeAll(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> all = Files.walk(directory)) {
            Collection<Path> deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
            for (Path path : deepestFirst) {
                Files.deleteIfExists(path);
            }
        }
    }
}
