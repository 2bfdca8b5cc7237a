import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** {@code Broker server.properties data cluster-id [format options]}: Kafka's own main, formatted first, which ends when its stdin does. */
public final class Broker {
    public static void main(String[] args) throws Exception {
        Thread watch = new Thread(Broker::endWithParent, "parent-watch");
        watch.setDaemon(true);
        watch.start();

        String properties = args[0];
        if (!Files.exists(Path.of(args[1], "meta.properties"))) {
            String[] format = {"format", "-t", args[2], "-c", properties};
            int given = format.length;
            format = Arrays.copyOf(format, given + args.length - 3);
            System.arraycopy(args, 3, format, given, args.length - 3);
            int status = kafka.tools.StorageTool.execute(format, System.out);
            if (status != 0) {
                System.exit(status);
            }
        }
        kafka.Kafka.main(new String[] {properties});
    }

    private static void endWithParent() {
        try {
            while (System.in.read() >= 0) {
                // Nobody writes here: only the end counts.
            }
        } catch (IOException e) {
            // The same as the end.
        }
        Runtime.getRuntime().halt(1);
    }
}
