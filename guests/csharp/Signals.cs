using System.Runtime.InteropServices;

namespace Hyperlight.Guests.CSharp;

/// <summary>Signals of Linux that a program handles.</summary>
internal static partial class Signals
{
    private const int SignalTerminate = 15;

    public static int Run()
    {
        using var received = new ManualResetEventSlim();
        using PosixSignalRegistration registration = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            received.Set();
        });
        int error = Kill(Environment.ProcessId, SignalTerminate);
        Console.WriteLine($"{error} {received.Wait(TimeSpan.FromSeconds(20))}");
        AppDomain.CurrentDomain.ProcessExit += static (_, _) => Console.WriteLine("exit");
        Environment.Exit(9);
        return 0;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
