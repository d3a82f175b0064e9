using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;
using NUnit.Framework.Internal.Commands;

namespace Hyperlight.Tests;

/// <summary>
/// The limit of a test of something that must end. The test, its set-up and its tear-down run on a thread of their own; if
/// that does not end, the test fails and the thread is left as it is.
/// </summary>
/// <param name="seconds">Generous: what takes longer does not end at all.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class EndsWithinAttribute(int seconds) : NUnitAttribute, IWrapSetUpTearDown
{
    public TestCommand Wrap(TestCommand command) => new LimitedCommand(command, seconds);

    private sealed class LimitedCommand(TestCommand inner, int seconds) : DelegatingTestCommand(inner)
    {
        public override TestResult Execute(TestExecutionContext context)
        {
            Exception? failure = null;
            var thread = new Thread(() =>
            {
                try
                {
                    innerCommand.Execute(context);
                }
                catch (Exception exception)
                {
                    failure = exception;
                }
            })
            {
                IsBackground = true,
            };
            thread.Start();
            if (!thread.Join(TimeSpan.FromSeconds(seconds)))
            {
                // Not the result that the thread has, which it may still change.
                context.CurrentResult = context.CurrentTest.MakeTestResult();
                context.CurrentResult.SetResult(ResultState.Failure, $"The test has not ended after {seconds} seconds.");
            }
            else if (failure is not null)
            {
                context.CurrentResult.RecordException(failure);
            }

            return context.CurrentResult;
        }
    }
}
