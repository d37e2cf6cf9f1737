import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.serialization.StringSerializer;

/** Reads keys as JSON strings, one a line; writes each one's bytes, and its partition for each number of partitions given. */
public final class Partitions {
    public static void main(String[] arguments) throws Exception {
        int[] counts = Arrays.stream(arguments).mapToInt(Integer::parseInt).toArray();
        var json = new ObjectMapper();
        var serializer = new StringSerializer();
        var out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        try (var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line; (line = in.readLine()) != null; ) {
                byte[] key = serializer.serialize("topic", json.readValue(line, String.class));
                int[] partitions = Arrays.stream(counts).map(count -> BuiltInPartitioner.partitionForKey(key, count)).toArray();
                out.println(json.writeValueAsString(Map.of("bytes", HexFormat.of().formatHex(key), "partitions", partitions)));
            }
        }
        out.flush();
    }
}
