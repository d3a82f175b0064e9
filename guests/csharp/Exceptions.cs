using System.Runtime.CompilerServices;

namespace Hyperlight.Guests.CSharp;

/// <summary>Exceptions, of the program and of the processor.</summary>
internal static class Exceptions
{
    private static readonly string? Nothing = Environment.GetEnvironmentVariable("is not set");
    private static readonly int Zero = Nothing?.Length ?? 0;

    public static int Run()
    {
        Print("null reference", static () => ReadLength(null));
        Print("division", static () => 1 / Zero);
        Print("overflow of a division", static () => int.MinValue / (Zero - 1));
        Print("index", static () => (new int[3])[Zero + 3]);
        Print("cast", static () => ((string)(object)Zero).Length);
        Print("checked", static () => checked(int.MaxValue + Zero + 1));
        Print("own", static () => throw new NotSupportedException("own", new FormatException("inner")));
        Print("aggregate", static () => Task.Run(static () => ReadLength(null)).Result);
        Console.WriteLine(Nested());
        int faults = 0;
        for (int i = 0; i < 200; i++)
        {
            try
            {
                faults += ReadLength(null);
            }
            catch (NullReferenceException) when (i % 2 == 0)
            {
                faults++;
            }
            catch (NullReferenceException)
            {
                faults += 10;
            }
        }

        Console.WriteLine(faults);
        return 6;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int ReadLength(string? text) => text!.Length;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Recurse(int depth) => depth == int.MaxValue ? 0 : Recurse(depth + 1) + Recurse(depth + 2);

    private static string Nested()
    {
        string order = "";
        try
        {
            try
            {
                try
                {
                    ReadLength(null);
                }
                finally
                {
                    order += "a";
                }
            }
            catch (NullReferenceException exception)
            {
                order += "b";
                throw new InvalidOperationException("wrapped", exception);
            }
            finally
            {
                order += "c";
            }
        }
        catch (InvalidOperationException exception) when (exception.InnerException is NullReferenceException)
        {
            order += "d";
        }

        return order;
    }

    private static void Print(string name, Func<int> action)
    {
        try
        {
            Console.WriteLine($"{name}: {action()}");
        }
        catch (Exception exception)
        {
            Console.WriteLine($"{name}: {exception.GetType().FullName}: {exception.Message}");
        }
    }
}
