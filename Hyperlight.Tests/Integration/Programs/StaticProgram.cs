using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>The programs of the tests that are linked with the machine's own static C library.</summary>
internal static class StaticProgram
{
    /// <summary>Reads numbers, sorts them in memory that grows, and prints them with floating point.</summary>
    public const string Sorting =
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

    private static readonly ConcurrentDictionary<string, Lazy<(string? Path, string Problem)>> Built = new();

    /// <summary>The path of the executable. Skips the test on machines without a compiler or a static C library.</summary>
    public static string Build(string name, string source)
    {
        (string? path, string problem) = Built.GetOrAdd(name, new Lazy<(string?, string)>(() => Compile(name, source))).Value;
        if (path is null)
        {
            Assert.Ignore($"This machine cannot link a static program: {problem}");
        }

        return path!;
    }

    private static (string? Path, string Problem) Compile(string name, string text)
    {
        string directory = Path.Combine(AppContext.BaseDirectory, "programs");
        Directory.CreateDirectory(directory);
        string source = Path.Combine(directory, $"{name}.c");
        string executable = Path.Combine(directory, name);
        File.WriteAllText(source, text);
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
