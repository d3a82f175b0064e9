using Hyperlight.Abstractions;
using Hyperlight.Host.Budgets;
using Moq;

namespace Hyperlight.Tests.Host.Budgets;

/// <summary>What a call has used, as other threads see it.</summary>
[TestFixture]
internal sealed class CallMeterTests
{
    private const int Calls = 300_000;

    private readonly CountingMachine _machine = new();
    private CallMeter _meter = null!;

    [SetUp]
    public void Create()
    {
        var instructions = new InstructionLimit("mock", Mock.Of<IVirtualMachine>(), limit: null);
        _meter = new CallMeter(instructions, _machine);
    }

    [Test]
    public async Task Another_thread_never_sees_less_than_nothing()
    {
        bool hasEnded = false;
        Task<string?> reader = Task.Run(() =>
        {
            while (!Volatile.Read(ref hasEnded))
            {
                CallStatistics used = _meter.Statistics;
                if (used.WallClockTime < TimeSpan.Zero || used.CpuTime < TimeSpan.Zero || used.DirtyPages < 0)
                {
                    return used.ToString();
                }
            }

            return null;
        });
        for (int i = 0; i < Calls && !reader.IsCompleted; i++)
        {
            _meter.Begin(new BudgetLimits(CallBudget.Unlimited));
            _meter.Cpu.Start();
            _machine.WrittenPageCount++;
            _meter.Cpu.Stop();
            _meter.End();
        }

        Volatile.Write(ref hasEnded, true);
        Assert.That(await reader, Is.Null);
    }

    [Test]
    public void Pages_of_earlier_calls_do_not_count()
    {
        _machine.WrittenPageCount = 5;
        _meter.Begin(new BudgetLimits(CallBudget.Unlimited));
        Assert.That(_meter.Statistics.DirtyPages, Is.Zero);
        _machine.WrittenPageCount = 8;
        _meter.End();
        Assert.That(_meter.Statistics.DirtyPages, Is.EqualTo(3));
        _meter.Forget();
        Assert.That(_meter.Statistics, Is.EqualTo(new CallStatistics { DirtyPages = 0 }));
    }

    private sealed class CountingMachine : IWriteTracker
    {
        public long WrittenPageCount { get; set; }

        public void ClearWritten(uint slot)
        {
        }
    }
}
