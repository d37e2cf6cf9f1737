import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Set;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.types.Row;

/** Runs the statements of a file, then each query given, on a small cluster in this process; writes a JSON array of rows for each. */
public final class FlinkSql {
    public static void main(String[] arguments) throws Exception {
        var tables = TableEnvironment.create(EnvironmentSettings.inBatchMode());
        tables.getConfig().set("parallelism.default", "1");
        for (String statement : Files.readString(Path.of(arguments[0])).split(";")) {
            if (!statement.isBlank()) {
                tables.executeSql(statement);
            }
        }
        var out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (int number = 1; number < arguments.length; number++) {
            out.println(new ObjectMapper().writeValueAsString(rows(tables, arguments[number])));
        }
        out.flush();
    }

    private static ArrayList<Object> rows(TableEnvironment tables, String query) throws Exception {
        var rows = new ArrayList<Object>();
        try (var found = tables.executeSql(query).collect()) {
            found.forEachRemaining(row -> rows.add(plain(row)));
        }
        return rows;
    }

    private static Object plain(Object value) {
        if (value instanceof Row row) {
            var fields = new LinkedHashMap<String, Object>();
            Set<String> names = row.getFieldNames(true);
            names.forEach(name -> fields.put(name, plain(row.getField(name))));
            return fields;
        }
        if (value instanceof Object[] values) {
            var plain = new ArrayList<Object>();
            for (Object each : values) {
                plain.add(plain(each));
            }
            return plain;
        }
        return value instanceof LocalDateTime time ? time.toInstant(ZoneOffset.UTC).toString() : value;
    }
}
