import io.apicurio.registry.serde.avro.AvroKafkaDeserializer;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Writes each event of the topic once, as JSON, up to the end that the topic has when it starts. */
public final class RmaConsumer {
    public static void main(String[] arguments) {
        var settings = Map.<String, Object>of(
            "bootstrap.servers", arguments[0],
            "apicurio.registry.url", arguments[1],
            "apicurio.registry.as-confluent", true,
            "apicurio.registry.use-id", "contentId",
            "key.deserializer", StringDeserializer.class,
            "value.deserializer", AvroKafkaDeserializer.class);
        try (var consumer = new KafkaConsumer<String, GenericRecord>(settings)) {
            List<TopicPartition> partitions = consumer.partitionsFor(arguments[2]).stream()
                .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
                .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            Set<String> seen = new HashSet<>();
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                for (var record : consumer.poll(Duration.ofSeconds(1))) {
                    if (seen.add(eventId(record.value()))) {
                        System.out.println(record.value());
                    }
                }
            }
        }
    }

    private static String eventId(GenericRecord rma) {
        return ((GenericRecord) rma.get("webhook")).get("event_id").toString();
    }
}
