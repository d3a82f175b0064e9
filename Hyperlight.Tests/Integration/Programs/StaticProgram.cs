using System.ComponentModel;
using System.Diagnostics;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>A program of the tests that is linked with the machine's own static C library.</summary>
internal static class StaticProgram
{
    /// <summary>Reads numbers, sorts them in memory that grows, and prints them with floating point.</summary>
    private const string Source =
        """
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <time.h>
        #include <unistd.h>

        static int compare(const void *one, const void *other)
        {
            double difference = *(const double *)other - *(const double *)one;
            return (difference > 0) - (difference < 0);
        }

        int main(int count, char **arguments)
        {
            char line[100];
            double *values = NULL;
            size_t used = 0;
            while (fgets(line, sizeof line, stdin) != NULL) {
                values = realloc(values, (used + 1) * sizeof *values);
                values[used++] = strtod(strchr(line, ' '), NULL);
            }
            qsort(values, used, sizeof *values, compare);
            for (size_t i = 0; i < used; i += 100) {
                printf("%.6f %.10g %a\n", values[i], values[i] / 3, values[i] + 0.1);
            }
            for (size_t size = 1; size < 8u << 20; size *= 2) {
                char *block = malloc(size);
                memset(block, 1, size);
                printf("%zu\n", strnlen(block, size));
                free(block);
            }
            struct timespec now;
            printf("%d %s %s\n", count, arguments[1], getenv("NAME"));
            printf("%d\n", clock_gettime(CLOCK_REALTIME, &now) == 0 && now.tv_sec > 1600000000);
            fprintf(stderr, "%d\n", isatty(1));
            return 5;
        }
        """;

    private static readonly Lazy<(string? Path, string Problem)> Built = new(Compile);

    /// <summary>The path of the executable. Skips the test on machines without a compiler or a static C library.</summary>
    public static string Build()
    {
        if (Built.Value.Path is null)
        {
            Assert.Ignore($"This machine cannot link a static program: {Built.Value.Problem}");
        }

        return Built.Value.Path!;
    }

    private static (string? Path, string Problem) Compile()
    {
        string directory = Path.Combine(AppContext.BaseDirectory, "programs");
        Directory.CreateDirectory(directory);
        string source = Path.Combine(directory, "sorting.c");
        string executable = Path.Combine(directory, "sorting");
        File.WriteAllText(source, Source);
        try
        {
            var start = new ProcessStartInfo("gcc", ["-O2", "-static", "-o", executable, source]) { RedirectStandardError = true };
            using Process process = Process.Start(start)!;
            string problem = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? (executable, "") : (null, problem);
        }
        catch (Win32Exception exception)
        {
            return (null, exception.Message);
        }
    }
}
