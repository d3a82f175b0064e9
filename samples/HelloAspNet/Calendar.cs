namespace Hyperlight.Samples.HelloAspNet;

/// <summary>A service of the application, which a host function of the guest uses.</summary>
internal sealed class Calendar(ILogger<Calendar> logger)
{
    public string GetWeekday()
    {
        logger.LogDebug("A guest has asked for the day of the week.");
        return DateTime.Now.DayOfWeek.ToString();
    }
}
