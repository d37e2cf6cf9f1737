import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashMap;
import org.apache.avro.Schema;
import org.apache.avro.data.TimeConversions.TimestampMillisConversion;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;

/** Reads framed records as base64, one a line, with the schema in the file given; writes each as JSON, times as ISO 8601. */
public final class AvroToJson {
    private static final int FRAME_BYTES = 5;

    public static void main(String[] arguments) throws Exception {
        var schema = new Schema.Parser().parse(Path.of(arguments[0]).toFile());
        var model = new GenericData();
        model.addLogicalTypeConversion(new TimestampMillisConversion());
        var reader = new GenericDatumReader<GenericRecord>(schema, schema, model);
        var json = new ObjectMapper();
        var out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        try (var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII))) {
            for (String line; (line = in.readLine()) != null; ) {
                out.println(json.writeValueAsString(plain(read(reader, Base64.getDecoder().decode(line)))));
            }
        }
        out.flush();
    }

    private static GenericRecord read(GenericDatumReader<GenericRecord> reader, byte[] payload) throws Exception {
        if (ByteBuffer.wrap(payload).get() != 0) {
            throw new IllegalArgumentException("no frame");
        }
        BinaryDecoder decoder =
            DecoderFactory.get().binaryDecoder(payload, FRAME_BYTES, payload.length - FRAME_BYTES, null);
        GenericRecord record = reader.read(null, decoder);
        if (!decoder.isEnd()) {
            throw new IllegalArgumentException("bytes after the record");
        }
        return record;
    }

    private static Object plain(Object value) {
        if (value instanceof GenericRecord record) {
            var fields = new LinkedHashMap<String, Object>();
            record.getSchema().getFields().forEach(field -> fields.put(field.name(), plain(record.get(field.pos()))));
            return fields;
        }
        if (value instanceof Collection<?> values) {
            var plain = new ArrayList<Object>();
            values.forEach(each -> plain.add(plain(each)));
            return plain;
        }
        return value instanceof CharSequence || value instanceof Instant ? value.toString() : value;
    }
}
