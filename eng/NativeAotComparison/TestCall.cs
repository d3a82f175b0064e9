using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using NUnit.Framework.Internal;

namespace Hyperlight.Tests;

/// <summary>Calls a test without NUnit's runner, which finds and calls tests by reflection that is not there ahead of time.</summary>
internal static class TestCall
{
    /// <summary>Prints what the test wrote and how it ended.</summary>
    /// <returns>Whether it passed. One that is skipped did not.</returns>
    public static bool Run(string name, Action test)
    {
        long start = Stopwatch.GetTimestamp();
        string output = "";
        Exception? failure = Catch(() =>
        {
            try
            {
                test();
            }
            finally
            {
                output = TestExecutionContext.CurrentContext.CurrentResult.Output;
            }
        });
        Console.Write(output);
        string time = $"{Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s";
        Console.WriteLine(failure is null ? $"passed {name} [{time}]" : $"FAILED {name} [{time}]\n{failure}");
        return failure is null;
    }

    /// <returns>What the test threw.</returns>
    /// <remarks>Outside of a runner NUnit finds this type by its name.</remarks>
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, "NUnit.Framework.Internal.TestExecutionContext.AdhocContext", "nunit.framework")]
    public static Exception? Catch(Action test)
    {
        using var context = new TestExecutionContext.IsolatedContext();
        try
        {
            test();
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }
}
